"""Kamailio: asked by its INVITE route for rtjson; its recipe posts what happens to the dialog."""
