"""What people ask of calls and order to be done with them."""
