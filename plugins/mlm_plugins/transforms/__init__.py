"""Bundled transforms: rows are cleaned, labelled, split and checked."""
