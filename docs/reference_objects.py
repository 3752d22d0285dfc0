"""The reference page of the objects that hooks take and give: fields and methods with their notes, from the code."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from typing import Any

from reference_parts import notes_of, one_line, signature_of, table_of, tree_of

import mlm

GROUPS = {
    "Data": "Dataset Batch Removal Change DatasetWriter",
    "Models and what they answer": "Model Engine Tokenizer Sampling Generation",
    "Evaluation": "Report Example Card",
    "Context": "Context Problem Finding",
    "Decisions": "Candidate Verdict Living StepEvent",
    "Live traffic": "Window Signal Proposal",
    "Serving": "Desired Observed Guard Judged Postprocessor TextStream Rollout Stage Move",
}
"""Names of `mlm`, as the page groups them; `MetricSpec` and `Measure` are on the page of `mlm.measures`."""


def objects() -> Iterator[str]:
    """Yield the page of what hooks take and give."""
    yield "# Objects that hooks take and give"
    yield (
        "All of them are names of `mlm`, such as `mlm.Report`. Most are frozen attrs classes: make one by its fields, "
        "change one with `attrs.evolve`. [Hooks](hooks.md) says which hook takes which; `MetricSpec` and `Measure` are "
        "in [mlm.measures](measures.md)."
    )
    for title, names in GROUPS.items():
        yield f"## {title}"
        for name in names.split():
            yield from described(getattr(mlm, name), f"mlm.{name}", "###")


def described(cls: type[Any], title: str, level: str = "##") -> Iterator[str]:
    """Yield a class: what it is, its fields, its methods."""
    yield f"{level} {title}"
    yield inspect.getdoc(cls) or ""
    if fields := list(_fields(cls)):
        yield table_of(["field", "type", "default", "what it says"], fields)
    if methods := list(_methods(cls)):
        yield table_of(["method", "what it does"], methods)


def described_function(function: Any) -> Iterator[str]:
    """Yield a function: its exact arguments, and what it does."""
    yield f"## {function.__name__}"
    yield f"```python\n{signature_of(function)}\n```"
    yield inspect.getdoc(function) or ""


def _fields(cls: type[Any]) -> Iterator[list[str]]:
    """Yield name, type, default and note of each public field, and of each property."""
    notes, protocol = notes_of(cls), getattr(cls, "_is_protocol", False)
    for part in _body(cls):
        if isinstance(part, ast.AnnAssign) and not _is_private(name := ast.unparse(part.target)):
            value = "required" if part.value is None else _shown(part.value)
            yield [f"`{name}`", f"`{ast.unparse(part.annotation)}`", "" if protocol else value, notes.get(name, "")]
        elif isinstance(part, ast.FunctionDef) and _is_property(part) and not _is_private(part.name):
            assert part.returns is not None
            yield [f"`{part.name}`", f"`{ast.unparse(part.returns)}`", "", one_line(ast.get_docstring(part) or "")]


def _shown(value: ast.expr) -> str:
    """Return a default; a factory is shown as what it makes, and a function not at all."""
    declared = {keyword.arg: keyword.value for keyword in getattr(value, "keywords", [])}
    if "factory" in declared:
        made = ast.unparse(declared["factory"])
        return "`{}`" if made == "dict" else f"`{made}()`"
    value = declared.get("default", value)
    return "" if isinstance(value, ast.Name | ast.Lambda) else f"`{ast.unparse(value)}`"


def _methods(cls: type[Any]) -> Iterator[list[str]]:
    """Yield signature and docstring of each public method."""
    for part in _body(cls):
        if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef) and not (
            _is_property(part) or _is_private(part.name)
        ):
            part.args.args = [one for one in part.args.args if one.arg not in ("self", "cls")]
            word = "async " if isinstance(part, ast.AsyncFunctionDef) else ""
            returned = f" -> {ast.unparse(part.returns)}" if part.returns else ""
            yield [
                f"`{word}{part.name}({ast.unparse(part.args)}){returned}`",
                one_line(ast.get_docstring(part) or ""),
            ]


def _body(cls: type[Any]) -> list[ast.stmt]:
    tree = tree_of(cls)
    assert isinstance(tree, ast.ClassDef)
    return tree.body


def _is_private(name: str) -> bool:
    return name.startswith("_")


def _is_property(part: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return any(ast.unparse(one) == "property" for one in part.decorator_list)
