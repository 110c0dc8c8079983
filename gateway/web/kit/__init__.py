"""Every component in every state, for who develops the pages."""
