"""Templates, where they apply, what was given to whom and why, as the API shows them."""
