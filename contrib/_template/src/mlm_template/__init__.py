"""Answers each prompt with the prompt."""
