"""What is wrong with a matrix before it is published."""
