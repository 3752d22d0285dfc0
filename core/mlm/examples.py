"""The judged items behind the numbers of a report, the worst first."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from attrs import frozen

from mlm.artifacts import Example
from mlm.errors import MlmError
from mlm.inspecting import presence_of
from mlm_registry import Node, Registry


@frozen
class Kept:
    """Examples of a report, the worst first, and how many it keeps in all.

    Attributes:
        directed: Whether a direction says which are the worst; without one, the lowest scores come first.
    """

    shown: tuple[Example, ...]
    total: int
    directed: bool


def kept_examples(registry: Registry, node: Node, count: int) -> Kept:
    """Read the worst `count` examples of a report.

    Raises:
        MlmError: The node is no report, or its bytes are not here.
    """
    from mlm.pages.evaluation import read_report

    if node.kind != "report":
        raise MlmError(f"{node.ref} is a {node.kind}, and only a report has examples: name an evaluation step")
    if (presence := presence_of(registry, node)) != "here":
        raise MlmError(f"the examples of {node.ref} cannot be read: its bytes are {presence}")
    report = read_report(Path(registry.objects.path(node.digest)))
    found = [Example(**one) for one in report["examples"]]
    shown = tuple(worst_first(found, lower_is_better(report))[:count])
    return Kept(shown, len(found), _direction(report) != "neither")


def lower_is_better(report: Mapping[str, Any]) -> bool:
    """Say whether a low score is a good one: an example's score runs as the first measure of its report does."""
    return _direction(report) == "lower"


def _direction(report: Mapping[str, Any]) -> str:
    names = [measure["metric"] for measure in report["measures"]] or list(report["directions"])
    return str(report["directions"].get(names[0], "neither")) if names else "neither"


def worst_first(examples: Iterable[Example], lower_better: bool) -> list[Example]:
    """Order examples by their scores, the worst first; those without one come last."""

    def place(example: Example) -> tuple[bool, float]:
        score = example.score
        if score is None or math.isnan(score):
            return True, 0.0
        return False, -score if lower_better else score

    return sorted(examples, key=place)


def is_wrong(example: Example, lower_better: bool) -> bool:
    """Tell whether a judged item is on the bad half of its scale from 0 to 1."""
    if example.score is None or math.isnan(example.score):
        return False
    return example.score > 0.5 if lower_better else example.score < 0.5
