"""Bundled exporters: other forms of a model."""
