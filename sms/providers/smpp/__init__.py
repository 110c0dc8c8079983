"""SMPP 3.4: a message centre that is spoken to over one link, part by part."""
