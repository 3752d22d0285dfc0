"""JSON documents that are larger than memory: the items of an array, or values one after another."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from attrs import define

from mlm_plugins.sources.json_values import NotJson, decoded, is_deep, raw_decode
from mlm_plugins.sources.lines import HEAD_BYTES, Fault, damage
from mlm_plugins.sources.streams import DAMAGE, blocks

_SPACE = re.compile(r"[ \t\r\n]*")


def read_documents(path: Path, encoding: str, limit: int) -> Iterator[tuple[int, Any, bytes] | Fault]:
    """Read (number, value, head of its text) of each item; after one that is malformed, nothing can be told apart."""
    number, text = 0, _Text(blocks(path, encoding), limit)
    try:
        array = text.peek() == "["
        if array:
            text.place += 1
        while (found := text.peek()) not in ("", "]" if array else ""):
            if array and number:
                text.expect(",")
            number += 1
            value, head = text.value()
            yield number, value, head
        if array:
            text.expect("]" if found else "the array's end")
            if text.peek():
                raise NotJson("there is more after the array's end")
    except NotJson as error:
        yield Fault(number or 1, f"{error}; what follows cannot be told apart", text.head())
    except DAMAGE as error:
        yield damage(number + 1, "item", error, text.head())


@define
class _Text:
    """A window on a long text, with a place in it."""

    blocks: Iterator[bytes]
    limit: int
    text: str = ""
    place: int = 0
    _ended: bool = False
    _decoder: Any = None

    def peek(self) -> str:
        """Return the next character that is no space; empty at the end."""
        while True:
            self.place = _SPACE.match(self.text, self.place).end()  # type: ignore[union-attr]
            if self.place < len(self.text) or not self._more():
                return self.text[self.place : self.place + 1]

    def expect(self, character: str) -> None:
        """Step over a character; NotJson where another one comes."""
        if self.peek() != character:
            raise NotJson(f"expected {character!r}, found {self.peek() or 'the end of the file'!r}")
        self.place += 1

    def value(self) -> tuple[Any, bytes]:
        """Read the next value, and how it begins."""
        self.peek()
        while True:
            try:
                value, end = decoded(raw_decode, self.text, self.place)
            except NotJson:
                # Half a value is malformed too: more of the text decides.
                if not self._twice():
                    raise
                continue
            # A number's digits may go on.
            if end == len(self.text) and self._more():
                continue
            if end - self.place > self.limit:
                raise NotJson(f"{end - self.place} characters are more than max_row_bytes = {self.limit}")
            if is_deep(value):
                raise NotJson("it is nested too deeply")
            head = self.text[self.place : min(end, self.place + HEAD_BYTES)].encode("utf-8", "surrogatepass")
            self.place = end
            return value, head

    def head(self) -> bytes:
        """Return what comes at this place."""
        return self.text[self.place : self.place + HEAD_BYTES].encode("utf-8", "surrogatepass")

    def _twice(self) -> bool:
        """Make the window twice as long, up to the longest row; say whether there was more."""
        wanted = 2 * (len(self.text) - self.place)
        if wanted > 2 * self.limit:
            raise NotJson(f"it is longer than max_row_bytes = {self.limit}, or has no end")
        grown = self._more()
        while grown and len(self.text) - self.place < wanted:
            if not self._more():
                break
        return grown

    def _more(self) -> bool:
        """Append a block; say whether there was one."""
        if self._ended:
            return False
        self._decoder = self._decoder or codecs.getincrementaldecoder("utf-8")()
        block = next(self.blocks, None)
        self._ended = block is None
        added = self._decoder.decode(block or b"", final=block is None)
        self.text, self.place = self.text[self.place :] + added, 0
        return not self._ended
