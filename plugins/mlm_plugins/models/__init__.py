"""Bundled importers of base models."""
