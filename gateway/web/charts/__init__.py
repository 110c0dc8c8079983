"""Charts as SVG from the server: pure. Positions from left to right are per cent and those from top to bottom pixels, so that a
drawing takes any width and its letters keep their size. Colours are classes: nothing here needs a style attribute or script."""
