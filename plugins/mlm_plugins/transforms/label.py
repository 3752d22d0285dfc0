"""Labels for rows, by substrings."""

from __future__ import annotations

import re
from pathlib import Path

from attrs import define

import mlm
from mlm_plugins.transforms.labellers import BY_HELP, credited
from mlm_plugins.transforms.reading import asked


@define(kw_only=True)
class Label:
    """Labels rows by substrings of the prompt (or text), in any case.

    The first label whose file holds a substring of the row wins.
    """

    rules: dict[str, Path] = mlm.setting(help="a file of substrings, one a line, for each label")
    default: str = mlm.setting("", help="label of all other rows")
    column: str = mlm.setting("label", help="name of the column")
    by_column: str = mlm.setting("", help=BY_HELP)

    @mlm.hookimpl
    def mlm_map(self, batch: mlm.Batch, context: mlm.Context) -> mlm.Batch:
        patterns = {label: _pattern(path, label) for label, path in self.rules.items()}
        labels = [
            next((label for label in patterns if patterns[label].search(text)), self.default) for text in asked(batch)
        ]
        made = batch.with_column(self.column, labels)
        return credited(made, [""] * len(batch), self.column, self.by_column, context.step)


def _pattern(path: Path, label: str) -> re.Pattern[str]:
    where = f"rules.{label}"
    if not path.is_file():
        raise mlm.ProjectError(f"no such file: {path}", where)
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError:
        raise mlm.DataError(f"{path} is not UTF-8; save it as UTF-8  [{where}]") from None
    terms = [re.escape(line.strip()) for line in lines if line.strip()]
    if not terms:
        raise mlm.ProjectError(f"{path} holds no substring, expected one a line", where)
    return re.compile("|".join(terms), re.IGNORECASE)
