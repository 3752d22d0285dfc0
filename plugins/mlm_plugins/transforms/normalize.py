"""Text in one Unicode form without what nobody sees; on demand without markup, and with its white space folded."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from attrs import define

import mlm
from mlm_plugins.detectors.columns import with_values

if TYPE_CHECKING:
    import pyarrow as pa

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
_LINE_END = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
_SPACE = re.compile(r"[^\S\n]+")
_THREE_EMPTY_LINES, _TWO_EMPTY_LINES = re.compile(r"\n{4,}"), re.compile(r"\n{3,}")
_BREAK = "  \n"
_FENCE = re.compile(r"(?:[ \t>*+-]|\d+[.)] )*(`{3,}(?=[^`]*$)|~{3,})")
_UNCLEAN = r"[^\n\t -~]|[ \t]\n|[ \t]$|^\n|\n$|\n\n\n\n"
_MARKED, _SPACED = "[<&]", r"^[ \t]|\t|  |\n |\n\n\n"
"""In RE2's syntax: a text that would be changed matches."""
Change = tuple[str, Callable[[str], str]]
"""A name, and what is changed by that name."""


@define(kw_only=True)
class Normalize:
    """Composes to Unicode NFC, and drops what is invisible and white space that ends a line or a text.

    Of more than two empty lines in a row two stay, and two spaces where Markdown breaks a line. Code, tables and lists
    keep their indentation. `markup` and `spaces`
    are for pages: in an answer, a tag in a fence and the spaces before a line are what it says.
    """

    markup: bool = mlm.setting(
        False, help="strip HTML's tags, comments, scripts and styles, and decode its entities, in code too"
    )
    spaces: bool = mlm.setting(
        False, help="fold white space: lines begin without any and have single spaces inside, one empty line between"
    )

    @mlm.hookimpl
    def mlm_map(self, batch: mlm.Batch) -> mlm.Batch:
        changes = changes_for(markup=self.markup, spaces=self.spaces)
        for name in batch.text_columns:
            pieces = batch.pieces(name)
            details, values = [""] * len(pieces), {}
            # What a tool is called with may be code: it stays as it is.
            said = [key is None for key in batch.names_of_pieces(name)]
            for place, text in self._unclean(pieces):
                if said[place] and (made := changed(text, changes))[0] != text:
                    values[place], details[place] = made
            if values:
                batch = batch.replace_text(name, with_values(pieces, values), "normalized", details)
        return batch

    def _unclean(self, pieces: pa.ChunkedArray) -> Iterator[tuple[int, str]]:
        """Yield what may have to be changed, with its place; the rest never become Python objects."""
        import pyarrow.compute as pc

        signs = [_UNCLEAN, *[_MARKED] * self.markup, *[_SPACED] * self.spaces]
        places = pc.indices_nonzero(pc.match_substring_regex(pieces, "|".join(signs)))
        yield from zip(places.to_pylist(), pieces.take(places).to_pylist(), strict=True)


def changes_for(*, markup: bool = False, spaces: bool = False) -> tuple[Change, ...]:
    """Return what is changed, in this order."""
    marked = (("markup", without_markup), ("entities", _decoded)) if markup else ()
    return (
        *marked,
        ("line ends", _lines),
        ("composition", _composed),
        ("invisible characters", _visible),
        ("white space", _folded if spaces else _trimmed),
    )


def changed(text: str, changes: tuple[Change, ...]) -> tuple[str, str]:
    """Return a text after these changes, and the names of those that changed it."""
    names = []
    for name, change in changes:
        was, text = text, change(text)
        names += [name] if was != text else []
    return text, ", ".join(names)


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
    return _LINE_END.sub("\n", text)


def _composed(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def _visible(text: str) -> str:
    return _INVISIBLE.sub("", text)


def _trimmed(text: str) -> str:
    """Drop white space at the ends of lines, empty lines at both ends, and of more than two in a row the others."""
    lines = text.split("\n")
    trimmed = _with_breaks(lines) if _BREAK in text else map(str.rstrip, lines)
    return _THREE_EMPTY_LINES.sub("\n\n\n", "\n".join(trimmed).strip("\n"))


def _with_breaks(lines: list[str]) -> Iterator[str]:
    """Trim lines, but for two spaces where Markdown breaks the line: before more text, and not in fenced code."""
    fence = ""
    for line, after in zip(lines, [*lines[1:], ""], strict=True):
        trimmed, mark = line.rstrip(), _FENCE.match(line)
        breaks = trimmed and line.endswith("  ") and after.strip() and not fence and not mark
        yield f"{trimmed}  " if breaks else trimmed
        if fence:
            fence = "" if mark and mark[1].startswith(fence) and trimmed.endswith(mark[1]) else fence
        elif mark:
            fence = mark[1]


def _folded(text: str) -> str:
    lines = [_SPACE.sub(" ", line).strip() for line in text.split("\n")]
    return _TWO_EMPTY_LINES.sub("\n\n", "\n".join(lines)).strip()
