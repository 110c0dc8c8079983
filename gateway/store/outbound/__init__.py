"""What goes out, as rows: items, the attempts that they came to, and whom nobody calls."""
