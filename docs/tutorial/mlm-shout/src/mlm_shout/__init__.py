"""Plugins for mlm about shouting."""
