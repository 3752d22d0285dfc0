"""The main text of a web page, without its navigation, by trafilatura (Barbaresi 2021)."""

from __future__ import annotations

from attrs import frozen


@frozen
class Page:
    """What a reader came for: a page's main text, empty where none was found, and its title."""

    text: str
    title: str


def main_text(html: bytes | str, *, fast: bool = False) -> Page:
    """Extract the main text of a page, without comments.

    Args:
        html: Bytes are decoded by their declaration, or else by what they look like.
        fast: Leave out the second opinion, which trafilatura asks for where it found little.
    """
    import trafilatura

    tree = trafilatura.load_html(html) if html else None
    if tree is None:
        return Page("", "")
    title = " ".join("".join(tree.xpath("string(.//title)")).split())
    return Page(trafilatura.extract(tree, include_comments=False, fast=fast) or "", title)
