"""Which licence a file is under: by its SPDX header, or by the text of a licence."""

from __future__ import annotations

import re

# SPDX specification 2.3, annex E: an expression follows the tag, up to the line's end or a comment's.
_HEADER = re.compile(r"SPDX-License-Identifier:[ \t]*([A-Za-z0-9.+()\- \t]+?)[ \t]*(?:\*/|-->|[#;'\"]|$)", re.MULTILINE)
_HEAD_CHARACTERS = 4096
_WORD = re.compile(r"[a-z0-9]+")

TEXTS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("AGPL-3.0", ("gnu affero general public license version 3 19 november 2007",)),
    ("LGPL-3.0", ("gnu lesser general public license version 3 29 june 2007",)),
    ("LGPL-2.1", ("gnu lesser general public license version 2 1 february 1999",)),
    ("GPL-3.0", ("gnu general public license version 3 29 june 2007",)),
    ("GPL-2.0", ("gnu general public license version 2 june 1991",)),
    ("Apache-2.0", ("apache license version 2 0 january 2004", "grant of patent license")),
    ("MPL-2.0", ("mozilla public license version 2 0", "covered software")),
    ("EPL-2.0", ("eclipse public license v 2 0",)),
    ("BSL-1.0", ("boost software license version 1 0",)),
    ("CC0-1.0", ("cc0 1 0 universal",)),
    ("CC-BY-SA-4.0", ("attribution sharealike 4 0 international",)),
    ("CC-BY-NC-4.0", ("attribution noncommercial 4 0 international",)),
    ("CC-BY-4.0", ("attribution 4 0 international",)),
    ("Unlicense", ("this is free and unencumbered software released into the public domain",)),
    ("Zlib", ("this software is provided as is without any express or implied warranty in no event",
              "altered source versions must be plainly marked")),
    ("MIT", ("permission is hereby granted free of charge to any person obtaining a copy of this software",
             "the above copyright notice and this permission notice")),
    ("MIT-0", ("permission is hereby granted free of charge to any person obtaining a copy of this software",)),
    ("ISC", ("permission to use copy modify and or distribute this software for any purpose with or without fee",
             "provided that the above copyright notice")),
    ("0BSD", ("permission to use copy modify and or distribute this software for any purpose with or without fee",)),
    ("BSD-3-Clause", ("redistribution and use in source and binary forms",
                      "be used to endorse or promote products derived from")),
    ("BSD-2-Clause", ("redistribution and use in source and binary forms",)),
)  # fmt: skip
"""SPDX identifiers, each with the words that its text has; the first that fits wins, so the stricter come first."""


def declared(text: str) -> str:
    """Return the SPDX expression in a file's head; empty where it has none."""
    found = _HEADER.search(text[:_HEAD_CHARACTERS])
    return " ".join(found[1].split()) if found else ""


def recognized(text: str) -> str:
    """Return the SPDX identifier of a licence's text; empty where it is none of those that are well known."""
    if header := declared(text):
        return header
    words = " ".join(_WORD.findall(text.lower()))
    return next((name for name, needed in TEXTS if all(phrase in words for phrase in needed)), "")


def is_license_file(name: str) -> bool:
    """Say whether a file of that name holds the licence of its folder."""
    stem = name.upper().partition(".")[0]
    return stem in ("LICENSE", "LICENCE", "COPYING", "UNLICENSE") or stem.startswith(("LICENSE-", "LICENCE-"))
