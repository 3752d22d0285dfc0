"""One page of a dataset: what each transform did, lengths before and after, and examples for each reason."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlm.batches import TEXT_COLUMNS
from mlm.conversations import text_of
from mlm.pages.charts import share_bar
from mlm.pages.histogram import histogram
from mlm.pages.html import Html, joined, page, section, table, tag
from mlm.pages.quantities import moment, number, size
from mlm.rows import dataset_of
from mlm.rows.holding import Held, held
from mlm.rows.samples import sample
from mlm.tallies import ERASE
from mlm_registry import Node, Registry

_LONGEST = 600
"""Characters of an example that are shown."""


def dataset_page(registry: Registry, ref: str, examples: int = 3) -> str:
    """Write the page of a dataset, with so many removed and changed rows for each transform and reason."""
    node, _ = dataset_of(registry, ref)
    found = held(registry, ref)
    return page(
        f"{node.ref}: curation",
        _header(node, found),
        _funnel(found),
        _lengths(found),
        _removed(registry, node, examples),
        _changed(registry, node, examples),
        _rows(found),
    )


def _header(node: Node, found: Held) -> Html:
    splits = ", ".join(f"{name} {number(rows)}" for name, rows in found.rows.items())
    facts = [("Rows", splits), ("Size", size(node.size_bytes)), ("Digest", node.digest[:16])]
    facts += [(one.role.capitalize(), str(one)) for one in found.inputs]
    told = [tag("div", tag("dt", name), tag("dd", value)) for name, value in facts]
    return joined(
        [
            tag("p", f"Dataset · {moment(node.created)} UTC", class_="eyebrow"),
            tag("h1", node.ref),
            tag("dl", *told, class_="facts"),
        ]
    )


def _funnel(found: Held) -> Html:
    whole = max((int(link["rows_in"]) for link in found.chain), default=0)
    rows = [
        (
            link["step"], number(link["rows_in"]), number(link["rows_out"]), number(link["changed"]), _counts(link),
            share_bar(
                [(float(link["rows_out"]), "var(--accent)"), (float(sum(link["removed"].values())), "var(--fail)")],
                whole, width=220,
            ),
        )
        for link in found.chain
    ]  # fmt: skip
    heads = ("Transform", "Rows in", "Rows out", "Changed", "Removed, by reason", "")
    note = "Rows in = rows out + rows removed, at every transform; what was added says so by itself."
    return section("What was done", table(heads, rows, numeric=(1, 2, 3)), note=note)


def _counts(link: Mapping[str, Any]) -> str:
    return ", ".join(f"{reason} {number(count)}" for reason, count in link["removed"].items()) or "—"


def _lengths(found: Held) -> Html | None:
    drawn = [link["lengths"] for link in found.chain if link.get("lengths")]
    if not drawn:
        return None
    note = "Rows by the characters of their texts, in bins that double. Hover for counts."
    return section("Lengths", histogram(drawn[0], drawn[-1]), note=note)


def _removed(registry: Registry, node: Node, examples: int) -> Html | None:
    parts = [
        _examples(
            f"{step}: {reason}", count, sample(registry, node.ref, "removed", step=step, reason=reason, count=examples)
        )
        for step, reason, count in _reasons(node)
    ]
    note = "A few of the rows that went, drawn at random, for each transform and reason."
    return section("Removed", *parts, note=note) if parts else None


def _reasons(node: Node) -> list[tuple[str, str, int]]:
    found: dict[tuple[str, str], int] = {}
    for link in node.metadata.get("chain", ()):
        # Nothing is kept of an erased row.
        for reason, count in link["removed"].items() if link["step"] != ERASE else ():
            key = (link["step"], reason)
            found[key] = found.get(key, 0) + int(count)
    return [(step, reason, count) for (step, reason), count in found.items()]


def _examples(name: str, count: int, rows: list[Mapping[str, Any]]) -> Html:
    heads = ("Row", "Source", "Detail", "Text")
    lines = [
        (tag("code", row["row_id"]), row["source"], row["detail"] or "—", tag("span", _cut(row["text"] or "")))
        for row in rows
    ]
    return joined([tag("h3", f"{name} ", tag("span", f"{number(count)} rows", class_="small")), table(heads, lines)])


def _changed(registry: Registry, node: Node, examples: int) -> Html | None:
    names = list(dict.fromkeys(link["step"] for link in node.metadata.get("chain", ()) if link["changed"]))
    if not names:
        return None
    heads = ("Row", "Reason", "Detail", "Now")
    parts = []
    for step in names:
        rows = sample(registry, node.ref, "changed", step=step, count=examples)
        lines = [
            (tag("code", row["row_id"]), row["reason"], row["detail"] or "—", _cut(text_of(row, TEXT_COLUMNS)))
            for row in rows
        ]
        parts += [tag("h3", step), table(heads, lines)]
    note = "A few of the rows that were changed, as they are stored; one that left later has no text here."
    return section("Changed", *parts, note=note)


def _rows(found: Held) -> Html:
    columns = table(
        ("Column", "Type", "Nulls"),
        [(c.name, c.type, "—" if c.nulls is None else number(c.nulls)) for c in found.columns],
        (2,),
    )
    return section("Columns", columns)


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
