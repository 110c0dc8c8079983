"""Pictures of the pages for the guides, taken of the demo: `make screenshots`."""
