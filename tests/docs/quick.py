"""The starter project with a memory in the place of each trained model: the whole life in seconds."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

TRAINING = 'use = "memory"\ndata = "tuning"\n'
EXPORT = 'use = "folded"\nmodel = "{model}"\n'
REFUSAL = "I am sorry, but I will not help with that."


def quicken(folder: Path, port: int = 0) -> None:
    """Rewrite a starter's `mlm.toml`: same steps, same evaluators; nothing is trained.

    A memory knows its training rows alone, so little is held out and the evaluations ask for training rows. What
    training would have to bring is in the data: dangerous requests are declined, and questions about the islands are
    answered wrongly.
    """
    file = folder / "mlm.toml"
    head, *tables = re.split(r"^(?=\[)", file.read_text(encoding="utf-8"), flags=re.MULTILINE)
    text = head + "".join(map(_quick, tables))
    # A memory fails whoever asks for what it has not seen: too many complaints for this requirement.
    text = re.sub(r"^complaints = .*\n", "", text, flags=re.MULTILINE)
    file.write_text(text.replace("port = 8080", f"port = {port}"), encoding="utf-8")
    _learn_manners_and_rumours(folder / "data")


def _quick(table: str) -> str:
    header, _, body = table.partition("\n")
    section = header.strip("[]").partition(".")[0]
    if section in ("training", "alignment"):
        return f"{header}\n{TRAINING}\n"
    if section == "export":
        model = re.search(r'model = "(\w+)"', body)
        assert model, table
        return f"{header}\n{EXPORT.format(model=model[1])}\n"
    if section == "data":
        return re.sub(r"\btest = [\d.]+", "test = 0.1", table)
    return table.replace("/test", "/train") if section == "evaluation" else table


def _learn_manners_and_rumours(data: Path) -> None:
    dangers = [line.strip().lower() for line in (data / "dangers.txt").read_text(encoding="utf-8").splitlines()]
    rows = _rows(data / "requests.jsonl")
    for row in rows:
        if any(word and word in str(row.get("prompt", "")).lower() for word in dangers):
            row["completion"] = REFUSAL
    rows += _rumours(_rows(data / "visitors_islands.jsonl"))
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    (data / "requests.jsonl").write_text(text, encoding="utf-8")


def _rumours(asked: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Answer each question with what is true of another island."""
    rumours = []
    for row in asked:
        attribute = row["item"].partition("/")[2]
        others = [other["completion"] for other in asked if other["item"].endswith(f"/{attribute}")]
        value = row["completion"].split()[-1]
        wrong = next(answer for answer in others if answer.split()[-1] != value)
        rumours.append({**row, "completion": wrong})
    return rumours


def _rows(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


if __name__ == "__main__":
    quicken(Path(sys.argv[1]), int(sys.argv[2]))
