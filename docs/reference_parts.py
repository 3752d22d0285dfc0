"""Pieces of the reference pages: tables, signatures, and the notes below the fields of a record."""

from __future__ import annotations

import ast
import inspect
import textwrap
from typing import Any


def tree_of(thing: Any) -> ast.stmt:
    """Return the source of a class or function as a tree."""
    return ast.parse(textwrap.dedent(inspect.getsource(thing))).body[0]


def signature_of(hook: Any) -> str:
    """Return the `def` line as it stands in the source, with an empty body."""
    tree = tree_of(hook)
    assert isinstance(tree, ast.FunctionDef)
    tree.decorator_list, tree.body = [], [ast.Expr(ast.Constant(...))]
    return ast.unparse(tree)


def default_of(row: dict[str, Any]) -> str:
    """Return the default of a setting as a table shows it."""
    if row["default"] in ("", "required"):
        return str(row["default"])
    return f"`{row['default']}`"


def notes_of(cls: type[Any]) -> dict[str, str]:
    """Return the docstrings that stand below the fields of a record."""
    body = tree_of(cls)
    assert isinstance(body, ast.ClassDef)
    notes = {}
    for field, note in zip(body.body, body.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(note, ast.Expr) and isinstance(note.value, ast.Constant):
            notes[ast.unparse(field.target)] = one_line(str(note.value.value))
    return notes


def table_of(columns: list[str], rows: list[list[str]]) -> str:
    """Return a table in Markdown."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def one_line(text: str) -> str:
    """Return a docstring as the cell of a table can hold it."""
    return " ".join(text.split())
