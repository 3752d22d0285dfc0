"""Bundled guards of prompts and completions."""
