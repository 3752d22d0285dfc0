"""Bundled sources: files and other datasets become rows."""
