"""Bundled postprocessors of responses."""
