"""YAML heads and Markdown, written without a dependency."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

# Words that YAML 1.1 reads as booleans or null where they stand bare.
_WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})
_BARE = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


def card(head: Mapping[str, Any], *parts: str | None) -> str:
    """Write a card: the YAML head between its fences, then the parts that are not empty."""
    body = "\n\n".join(part for part in parts if part)
    return f"---\n{yaml(head)}---\n\n{body}\n"


def yaml(value: Mapping[str, Any]) -> str:
    """Write a mapping as block YAML; entries that are None or empty are left out."""
    return "".join(f"{line}\n" for line in _mapping(value))


def _mapping(value: Mapping[str, Any]) -> list[str]:
    lines = []
    for key, item in value.items():
        if _is_empty(item):
            continue
        name = key if _BARE.fullmatch(key) and key.lower() not in _WORDS else _scalar(key)
        if isinstance(item, Mapping):
            lines += [f"{name}:", *(f"  {line}" for line in _mapping(item))]
        elif isinstance(item, list | tuple):
            lines += [f"{name}:", *_items(item)]
        else:
            lines.append(f"{name}: {_scalar(item)}")
    return lines


def _items(items: Sequence[Any]) -> list[str]:
    lines = []
    for item in items:
        inner = _mapping(item) if isinstance(item, Mapping) else [_scalar(item)]
        lines += [f"- {inner[0]}", *(f"  {line}" for line in inner[1:])]
    return lines


def _is_empty(item: Any) -> bool:
    return item is None or (isinstance(item, str | Mapping | list | tuple) and not item)


def _scalar(value: Any) -> str:
    """Write a scalar so that YAML 1.1 and 1.2 read it alike."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return _float(value)
    text = json.dumps(str(value), ensure_ascii=False)
    return "".join(c if c.isprintable() else f"\\U{ord(c):08X}" for c in text)


def _float(value: float) -> str:
    if not math.isfinite(value):
        return ".nan" if math.isnan(value) else (".inf" if value > 0 else "-.inf")
    text = repr(value)
    # YAML 1.1 reads `1e-05` as a word: a mantissa needs its point, an exponent its sign.
    mantissa, e, exponent = text.partition("e")
    if not e:
        return text
    sign = exponent if exponent[0] in "+-" else f"+{exponent}"
    return f"{mantissa if '.' in mantissa else mantissa + '.0'}e{sign}"


def section(title: str, *parts: str | None) -> str | None:
    """Write a section, or nothing where it has no content."""
    body = "\n\n".join(part for part in parts if part)
    return f"## {title}\n\n{body}" if body else None


def table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str | None:
    """Write a table, or nothing where it has no rows."""
    lines = [_row(row) for row in rows]
    return "\n".join([_row(heads), _row(["---"] * len(heads)), *lines]) if lines else None


def _row(cells: Sequence[object]) -> str:
    return f"| {' | '.join(plain(str(cell)) for cell in cells)} |"


def plain(text: str) -> str:
    """Keep a text on one line and out of the way of tables and HTML."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


def bullets(lines: Iterable[str]) -> str:
    """Write a list."""
    return "\n".join(f"- {plain(line)}" for line in lines)


def code(value: object) -> str:
    """Write settings, a digest or a name as code."""
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)
    return f"`{text.replace('`', chr(39))}`"
