"""Mistakes of the project file, gathered: who has made five should not run five times to hear of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar

from attrs import define, field

from mlm.errors import ProjectError

P = ParamSpec("P")
T = TypeVar("T")


@define
class Mistakes:
    """Notes what is wrong, and goes on; `tell` ends it."""

    lines: list[str] = field(factory=list)

    def of(self, check: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T | None:
        """Return what a check gives; None where it raised ProjectError, which is noted."""
        try:
            return check(*args, **kwargs)
        except ProjectError as error:
            self.lines += str(error).splitlines()
            return None

    def add(self, message: str, where: str) -> None:
        """Note a mistake."""
        self.lines.append(str(ProjectError(message, where)))

    def tell(self) -> None:
        """Raise ProjectError with a line for each mistake, if there is any."""
        if self.lines:
            raise ProjectError("\n".join(dict.fromkeys(self.lines)))
