"""A row as a dictionary that says which columns there are, where it is asked for one that there is not."""

from __future__ import annotations

from typing import Any, NoReturn

from mlm.errors import DataError, near_miss


class NoColumn(DataError, KeyError):
    """The rows have no column of that name; the message names those that they have."""

    __str__ = Exception.__str__  # That of KeyError quotes the message.


class Row(dict[str, Any]):
    """A row of a dataset: its values by column."""

    def __missing__(self, name: str) -> NoReturn:
        columns = ", ".join(self)
        raise NoColumn(f"the rows have no column '{name}' (columns: {columns}){near_miss(str(name), self)}")
