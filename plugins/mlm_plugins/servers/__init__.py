"""Bundled servers: model folders become engines."""
