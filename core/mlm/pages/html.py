"""HTML that is escaped by construction: text is escaped, only what these functions made is not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from mlm.pages.style import STYLE

_VOID = frozenset({"br", "col", "hr", "input", "meta"})


class Html(str):
    """Text that is HTML already."""


def tag(name: str, /, *content: object, **attributes: object) -> Html:
    """Write an element; `class_` means class, `_` means `-`, and attributes that are None are left out."""
    written = "".join(f' {_name(key)}="{escape(str(value))}"' for key, value in attributes.items() if value is not None)
    if name in _VOID:
        return Html(f"<{name}{written}/>")
    return Html(f"<{name}{written}>{joined(content)}</{name}>")


def joined(parts: Iterable[object]) -> Html:
    """Join parts, escaping those that are no HTML yet; None is left out."""
    return Html("".join(_html(part) for part in parts if part is not None))


def _name(key: str) -> str:
    return key.rstrip("_").replace("_", "-")


def _html(part: object) -> str:
    return part if isinstance(part, Html) else escape(_printable(str(part)))


def _printable(text: str) -> str:
    """Replace control characters, which no XML or HTML document may hold."""
    return "".join(c if c in "\t\n" or (c >= " " and not "\ud800" <= c <= "\udfff") else "\ufffd" for c in text)


def table(heads: Sequence[object], rows: Iterable[Sequence[object]], numeric: Iterable[int] = ()) -> Html:
    """Write a table; columns in `numeric` are aligned right with figures of one width."""
    right = set(numeric)
    classes = ["n" if i in right else None for i in range(len(heads))]
    head = joined(tag("th", h, class_=c, scope="col") for h, c in zip(heads, classes, strict=True))
    body = joined(tag("tr", *(tag("td", cell, class_=c) for cell, c in zip(row, classes, strict=True))) for row in rows)
    return tag("div", tag("table", tag("thead", tag("tr", head)), tag("tbody", body)), class_="scroll")


def section(title: str, *content: object, note: object = None) -> Html:
    """Write a section with a heading, and a line under it that says how to read it."""
    heading = tag("h2", title, id=title.lower().replace(" ", "-"))
    return tag("section", heading, tag("p", note, class_="note") if note else None, *content)


def at(moment: str) -> Html:
    """Write a time that is not broken over lines."""
    return tag("time", moment)


def badge(text: str, tone: str = "") -> Html:
    """Write a word in a coloured outline; the tone is a verdict, a status or a state."""
    return tag("span", text, class_=f"badge {tone or text}")


def page(title: str, *content: object) -> str:
    """Write a whole document."""
    head = joined(
        [
            tag("meta", charset="utf-8"),
            tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
            tag("meta", name="color-scheme", content="light dark"),
            tag("title", title),
            tag("style", Html(STYLE)),
        ]
    )
    return f"<!DOCTYPE html>\n{tag('html', tag('head', head), tag('body', tag('main', *content)), lang='en')}\n"
