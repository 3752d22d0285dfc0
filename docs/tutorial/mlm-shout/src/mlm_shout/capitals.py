"""What counts as shouting."""


def shouts(text: str, letters: int = 8) -> bool:
    """Say whether a text has so many letters or more, and all of them are capitals."""
    return text.isupper() and sum(map(str.isalpha, text)) >= letters
