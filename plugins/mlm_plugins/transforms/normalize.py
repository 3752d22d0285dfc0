"""Text without markup debris, in one Unicode form."""

from __future__ import annotations

import html
import re
import unicodedata

from attrs import define

import mlm

# Elements of the HTML standard and of older pages. Other words in angle brackets, such as <EMAIL>, are text.
_BLOCK = """address article aside blockquote body br canvas caption center col colgroup dd details dialog dir div dl dt
    fieldset figcaption figure footer form frame frameset h1 h2 h3 h4 h5 h6 head header hgroup hr html iframe legend li
    link main menu meta nav noscript ol optgroup option p pre script section select style summary table tbody td
    template textarea tfoot th thead title tr ul"""
_INLINE = """a abbr acronym area audio b basefont bdi bdo big blink button cite code data datalist del dfn em embed font
    i img input ins kbd label map mark marquee meter nobr object output param picture progress q rp rt ruby s samp small
    source span strike strong sub sup svg time track tt u var video wbr"""


def _tags(names: str) -> re.Pattern[str]:
    return re.compile(rf"</?(?:{'|'.join(names.split())})(?:[\s/][^<>]*)?>", re.IGNORECASE)


_BLOCK_TAG, _INLINE_TAG = _tags(_BLOCK), _tags(_INLINE)
_DOCTYPE = re.compile(r"<!doctype[^<>]*>", re.IGNORECASE)
# What stands between these is not for readers.
_HIDDEN = [
    (re.compile(opening, re.IGNORECASE), re.compile(closing, re.IGNORECASE))
    for opening, closing in (("<!--", "-->"), (r"<script[\s>]", "</script>"), (r"<style[\s>]", "</style>"))
]
# Only with its semicolon: `?a=1&copy=2` is an address.
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
# Nothing that a reader sees: controls, zero width, soft hyphens, turns of direction (Boucher and Anderson 2021), and
# tags, which spell hidden text wherever they do not follow a black flag. Joiners stay: scripts and emoji need them.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]"
    "|(?<![\U0001f3f4\U000e0020-\U000e007e])[\U000e0001\U000e0020-\U000e007f]+"
)
_SPACE = re.compile(r"[^\S\n]+")
_AROUND_LINES = re.compile(r" ?\n ?")
_EMPTY_LINES = re.compile(r"\n{3,}")


@define(kw_only=True)
class Normalize:
    """Strips HTML, decodes entities, drops what is invisible, composes to Unicode NFC, folds white space."""

    @mlm.hookimpl
    def mlm_map(self, batch: mlm.Batch) -> mlm.Batch:
        for name in batch.text_columns:
            old = batch.pieces(name).to_pylist()
            # What a tool is called with may be code: it stays as it is.
            said = [key is None for key in batch.names_of_pieces(name)]
            new = [
                normalized(value) if value is not None and is_said else value
                for value, is_said in zip(old, said, strict=True)
            ]
            details = ["" if a == b else _told(a) for a, b in zip(old, new, strict=True)]
            batch = batch.replace_text(name, new, "normalized", details)
        return batch


def normalized(text: str) -> str:
    """Return plain text: lines stay, with single spaces inside and at most one empty line between."""
    for _, change in CHANGES:
        text = change(text)
    return text


def _told(text: str) -> str:
    """Name what was changed."""
    names = []
    for name, change in CHANGES:
        changed = change(text)
        names += [name] if changed != text else []
        text = changed
    return ", ".join(names)


def without_markup(text: str) -> str:
    """Return the text without comments, scripts, styles and tags; a block's tag ends the line."""
    if "<" not in text:
        return text
    for opening, closing in _HIDDEN:
        text = _without(text, opening, closing)
    return _INLINE_TAG.sub("", _BLOCK_TAG.sub("\n", _DOCTYPE.sub("", text)))


def _without(text: str, opening: re.Pattern[str], closing: re.Pattern[str]) -> str:
    """Cut from each opening to the next closing; an opening that nothing closes stays."""
    parts, end = [], 0
    while (start := opening.search(text, end)) and (stop := closing.search(text, start.end())):
        parts.append(text[end : start.start()])
        end = stop.end()
    return "".join([*parts, text[end:]])


def _decoded(text: str) -> str:
    return _ENTITY.sub(lambda match: html.unescape(match[0]), text) if "&" in text else text


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _composed(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def _visible(text: str) -> str:
    return _INVISIBLE.sub("", text)


def _spaced(text: str) -> str:
    return _EMPTY_LINES.sub("\n\n", _AROUND_LINES.sub("\n", _SPACE.sub(" ", text))).strip()


CHANGES = (
    ("markup", without_markup),
    ("entities", _decoded),
    ("line ends", _lines),
    ("composition", _composed),
    ("invisible characters", _visible),
    ("white space", _spaced),
)
"""What is changed, in this order, by name."""
