"""Secrets in text: keys and tokens in the formats that their providers publish, and values that are named as one.

A value that only its name makes a secret must look random too: documents are full of `password: <your password>`.
"""

from __future__ import annotations

import base64
import json
import math
import re
from collections import Counter
from collections.abc import Callable, Collection
from itertools import pairwise

from mlm_plugins.detectors.spans import Span

_FORMS: dict[str, str] = {
    "aws": r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}(?![A-Za-z0-9])",
    "github": r"(?:gh[pousr]_[A-Za-z0-9]{36,251}|github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59})(?![A-Za-z0-9_])",
    "gitlab": r"gl(?:pat|dt|rt|cbt|ptt|ft|imt|agent|oas|soat)-[A-Za-z0-9_-]{20,300}(?:\.[A-Za-z0-9.]{4,40})?",
    "slack": r"(?:xox[abeoprs](?:\.xox[bp])?-[A-Za-z0-9-]{20,250}|xapp-[0-9]-[A-Za-z0-9-]{20,250}"
    r"|https://hooks\.slack\.com/(?:services|workflows)/[A-Za-z0-9/_-]{20,120})",
    "google": r"(?:AIza[A-Za-z0-9_-]{35}|GOCSPX-[A-Za-z0-9_-]{28})(?![A-Za-z0-9_-])",
    "private_key": r"-----BEGIN (?:[A-Z0-9]{2,12} ){0,2}PRIVATE KEY(?: BLOCK)?-----"
    r"(?:(?!-----)[\s\S]){0,20000}(?:-----END (?:[A-Z0-9]{2,12} ){0,2}PRIVATE KEY(?: BLOCK)?-----)?",
    "jwt": r"(?<!-)eyJ[A-Za-z0-9_-]{8,4000}\.eyJ[A-Za-z0-9_-]{8,8000}\.[A-Za-z0-9_-]{0,4000}",
    "openai": r"sk-(?:proj-|svcacct-|admin-)?[A-Za-z0-9_-]{20,200}T3BlbkFJ[A-Za-z0-9_-]{20,200}",
    "anthropic": r"sk-ant-[a-z0-9]{3,10}-[A-Za-z0-9_-]{80,200}",
    "huggingface": r"(?:hf|api_org)_[A-Za-z]{34}(?![A-Za-z0-9_])",
    "stripe": r"(?:[sr]k_(?:live|test)|whsec)_[A-Za-z0-9]{16,250}",
    "npm": r"npm_[A-Za-z0-9]{36}(?![A-Za-z0-9_])",
    "pypi": r"pypi-AgE[A-Za-z0-9_-]{50,1000}",
    "sendgrid": r"SG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}(?![A-Za-z0-9_-])",
}
"""What starts with a mark of its provider, by the providers' documentation."""
KINDS = (*_FORMS, "url_password", "assignment")

_NAMES = ("key", "secret", "token", "passw(?:or)?d", "passphrase", "pwd", "credentials?", "authorization")
_BY = r"[A-Za-z0-9_.-]{0,20}[\"']?\]?[ \t]{0,3}(?::=|=>|=|:)"
SIGNS = (
    r"A(?:KIA|SIA|BIA|CCA)[A-Z2-7]|gh[pousr]_|github_pat_|gl[a-z]{2,5}-|xox[abeoprs]|xapp-|hooks\.slack\.com|AIza|GOCSPX-"
    r"|-----BEGIN|eyJ[A-Za-z0-9_-]{8}|sk-|(?:hf|api_org)_[A-Za-z]{8}|[sr]k_(?:live|test)_|whsec_|npm_|pypi-|SG\."
    rf"|://[^\s/:@]{{1,64}}:|(?i:{'|'.join(_NAMES)}){_BY}|(?i:bearer|basic)[ \t]{{1,3}}[A-Za-z0-9._~+/-]{{10}}"
)
"""In RE2's syntax: a text that holds a secret matches."""


def _any_of(words: Collection[str], behind: str = "") -> str:
    """Return a pattern of words in any case that `re` finds fast, and what must hold behind their first letter.

    It begins with a class of characters, so that no other is looked at; `(?i:...)` alone would try each.
    """
    firsts = "".join(sorted({letter for word in words for letter in (word[0].upper(), word[0])}))
    return f"[{firsts}]{behind}(?i:{'|'.join(f'(?<={word[0]}){word[1:]}' for word in words)})"


_ALONE = r"(?<![A-Za-z0-9].)"
_PROVIDED = re.compile(
    r"(?<![A-Za-z0-9_])(?:" + "|".join(f"(?P<{kind}>{form})" for kind, form in _FORMS.items()) + ")",
)
_URL_PASSWORD = re.compile(r"://[^\s/:@\"'<>]{1,64}:(?P<value>[^\s/:@\"'<>]{3,100})@[A-Za-z0-9\[]")
_ASSIGNMENT = re.compile(
    rf"{_any_of(_NAMES)}{_BY}[ \t]{{0,3}}(?P<quote>[\"'`]?)(?:(?i:bearer|token|api-?key)[ \t]{{1,3}})?"
    r"(?P<value>[A-Za-z0-9_+/=.~!@#$%^&*-]{11,4000}[A-Za-z0-9_+/=~!@#$%^&*-])(?P=quote)"
)
# HTTP's credentials (RFC 6750, RFC 7617), wherever they stand.
_BEARER = re.compile(_any_of(["bearer"], _ALONE) + r"[ \t]{1,3}(?P<value>[A-Za-z0-9._~+/-]{19,4000}[A-Za-z0-9_~+/-]=*)")
_BASIC = re.compile(_any_of(["basic"], _ALONE) + r"[ \t]{1,3}(?P<value>[A-Za-z0-9+/]{10,2000}={0,2})")
_PLACEHOLDER = re.compile(
    r"example|sample|your|changeme|placeholder|dummy|xxx|\*\*\*|\.\.\.|1234567|abcdef|[$%]\w*[({]"
    r"|^(?-i:\$[A-Z_][A-Z0-9_]*)$",
    re.I,
)
_LEAST_ENTROPY = 2.8
"""In bits a character: of 16 random hexadecimal digits, 19 in 20 have more."""
_LEAST_CHANGES = 0.25
"""Between small letters, capitals and digits, a character: of 32 random hexadecimal digits, 99 in 100 have more."""


def find(text: str, kinds: Collection[str] = KINDS) -> list[Span]:
    """Return the secrets of these kinds, in order, without overlap; of an assignment the value alone."""
    found = [
        (match.start(), match.end(), kind)
        for match in _PROVIDED.finditer(text)
        if (kind := str(match.lastgroup)) and _VALID.get(kind, bool)(match[0])
    ]
    for kind, pattern, is_valid in _NAMED:
        found += [(*match.span("value"), kind) for match in pattern.finditer(text) if is_valid(match["value"])]
    spans: list[Span] = []
    # Of two that start together, the first is the provider's: the sort is stable.
    for start, end, kind in sorted(found, key=lambda place: place[0]):
        if not spans or start >= spans[-1].end:
            spans.append(Span(kind, start, end))
    return [span for span in spans if span.kind in kinds]


def entropy(value: str) -> float:
    """Return how many bits a character of a text carries by its own frequencies (Shannon 1948)."""
    return -sum(n / len(value) * math.log2(n / len(value)) for n in Counter(value).values())


def _random(value: str) -> bool:
    """Return whether a value looks drawn, not written: digits among letters, no placeholder, no JWT's header alone."""
    mixed = re.search("[0-9]", value) and re.search("[A-Za-z]", value)
    return bool(mixed) and _drawn(value) and not (value.startswith("eyJ") and "." not in value and _jwt(value))


def _drawn(value: str) -> bool:
    return entropy(value) >= _LEAST_ENTROPY and not _PLACEHOLDER.search(value)


def _token(value: str) -> bool:
    """Return whether a value is random, and no words with a number: letters and digits change places all the time."""
    kinds = ["0" if char.isdigit() else "a" if char.islower() else "A" for char in value if char.isalnum()]
    changes = sum(one != other for one, other in pairwise(kinds))
    return _random(value) and changes >= _LEAST_CHANGES * len(kinds)


def _basic(value: str) -> bool:
    """Return whether a value is a name and a password (RFC 7617, section 2)."""
    try:
        user, colon, password = base64.b64decode(value, validate=True).decode().partition(":")
    except ValueError:
        return False
    return bool(user.isprintable() and colon and password.isprintable()) and _password(password)


def _password(value: str) -> bool:
    return not _PLACEHOLDER.search(value) and value.casefold() not in ("password", "pass", "secret", "port")


def _jwt(found: str) -> bool:
    """Return whether the header is a JSON object that names its algorithm (RFC 7515, section 4.1.1)."""
    header = found.partition(".")[0]
    try:
        return "alg" in json.loads(base64.urlsafe_b64decode(header + "=" * (-len(header) % 4)))
    except ValueError:
        return False


_VALID: dict[str, Callable[[str], bool]] = {"jwt": _jwt, "aws": _drawn}
_NAMED = (
    ("url_password", _URL_PASSWORD, _password),
    ("assignment", _ASSIGNMENT, _random),
    ("assignment", _BEARER, _token),
    ("assignment", _BASIC, _basic),
)
