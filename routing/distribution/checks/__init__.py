"""What is wrong with a template before it is published."""
