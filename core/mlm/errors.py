"""Everything that mlm raises on purpose.

MlmError
├── ProjectError      mlm.toml, or a file it names, is wrong          exit 1
├── PluginError       a plugin is missing, broken, or broke its word  exit 1
├── Refused           a gate, check or admission said no              exit 1
├── DataError         a row or file of the user's data is malformed   exit 1
└── Waiting           the work needs a person, or more traffic        exit 0

The message is one line: what, with which value, what was expected, what to do.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlm.verdicts import Verdict


class MlmError(Exception):
    """A mistake that the user can mend; printed as one line after `Error:`."""


class ProjectError(MlmError):
    """The project file, or a file it names, is wrong; `where` says which table and key."""

    def __init__(self, message: str, where: str = "") -> None:
        super().__init__(f"{message}  [{where}]" if where else message)


class PluginError(MlmError):
    """A plugin is not installed, cannot be imported, or broke the hook contract."""


class DataError(MlmError):
    """A file of the user's data is malformed; the message names file and line."""


class Refused(MlmError):
    """A decision went against the action; `code` is stable, the message explains, `verdicts` are what was judged."""

    def __init__(self, message: str, code: str, verdicts: Sequence[Verdict] = ()) -> None:
        super().__init__(message)
        self.code = code
        self.verdicts = tuple(verdicts)


class Waiting(MlmError):
    """The work cannot go on without a person or more traffic; the message says whom or what for."""


def near_miss(name: str, known: Iterable[str]) -> str:
    """Return `; did you mean 'x'?` for the closest known name, or nothing."""
    from difflib import get_close_matches

    matches = get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f"; did you mean '{matches[0]}'?" if matches else ""
