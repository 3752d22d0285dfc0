"""Plugins that are broken on purpose, each in one way: the kit must find just that."""
