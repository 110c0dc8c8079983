"""The call matrix: edited, tried, published."""
