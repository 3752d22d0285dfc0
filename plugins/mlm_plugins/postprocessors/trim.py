"""White space of responses."""

from __future__ import annotations

import re

from attrs import define

import mlm

_SPACES = re.compile(" {2,}")


@define(kw_only=True)
class Trim:
    """Strips white space around a response and folds runs of spaces inside it."""

    @mlm.hookimpl
    def mlm_postprocess(self) -> mlm.Postprocessor:
        return _Trim()


@define
class _Trim:
    name: str = "trim"

    def open(self) -> mlm.TextStream:
        return _TrimmedStream()


@define
class _TrimmedStream:
    """Holds white space back until a character follows it."""

    _held: str = ""
    _begun: bool = False

    def feed(self, text: str) -> str:
        text = self._held + text
        if not self._begun:
            text = text.lstrip()
        leaving = text.rstrip()
        self._begun = self._begun or bool(leaving)
        self._held = _SPACES.sub(" ", text[len(leaving) :])
        return _SPACES.sub(" ", leaving)

    def close(self) -> str:
        """Return nothing: white space at the end is not wanted."""
        self._held = ""
        return ""
