"""A row that was edited, added or deleted behind the registry's back is found and named."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from math import nan
from typing import Any

import pytest

from mlm_registry import (
    Amendment,
    Arm,
    Erasure,
    Exchange,
    Execution,
    Feedback,
    Judgement,
    Metric,
    Node,
    PluginUse,
    Proposal,
    Registry,
    Score,
)

DIGEST = "d" * 64
RECORDED = ["executions", "nodes", "edges", "plugin_uses", "metrics", "scores"]
DECIDED = [
    "model_versions", "version_changes", "aliases", "approvals", "recalls", "recalled_nodes", "deployments",
    "proposals", "amendments", "erasures", "tombstones", "judgements", "exchange_heads",
]  # fmt: skip
ASKED = ["exchanges", "feedback"]


def live(registry: Registry) -> None:
    """Fill every table with at least two rows."""
    started = registry.start(Execution("data", "data", "r", "p", settings={"a": 1}))
    registry.log([Metric(started.id, "loss", step, value) for step, value in ((2, 1.0), (1, nan), (2, 0.5))])
    [data] = registry.finish(started, outputs=[Node("data", "dataset", DIGEST)], uses=[PluginUse("q"), PluginUse("q")])
    models = []
    for number in range(3):
        made = registry.finish(
            Execution("chat", "training", "r", "p", seed=number),
            outputs=[Node("chat", "model", DIGEST, metadata={"text": "é\n\x00"})],
            inputs=[("data", data.id, "train"), ("data", data.id, "test")],
            metrics=[Metric(0, "loss", step, step) for step in (3, 1, 1)],
            scores=[Score("m", value, DIGEST, DIGEST, "e", low=0.0) for value in (1, nan)],
        )
        models += made
    registry.start(Execution("late", "data", "r", "p"))
    for model in models:
        registry.models.set_state(model.id, "approved", by="ana", reason="good")
        registry.models.move_alias("production", model.id, by="ana", reason="good")
        registry.models.approve(model.ref, "promote", by="ana", reason="good")
        registry.deployments.desire("api", [Arm(model.id, 1.0)], by="ana", reason="good")
        registry.judge(Judgement(DIGEST, "gate", model.ref, "pass", "ok", "fine"))
        recall = registry.recalls.add(model.ref, [model.id], by="ana", reason="bad")
        proposal = registry.improvements.propose(Proposal("t", "r", ("a",), (), by="m"))
        registry.improvements.decide(proposal.id, "approved", by="ana", reason="yes")
        made_of_it = registry.improvements.amend(Amendment("set", "chat", 1, key="k", by="ana", reason="r"))
    registry.recalls.undo(recall.id, by="ana", reason="good after all")
    registry.improvements.revoke(made_of_it.id, by="ana", reason="no")
    for number, node in enumerate((data, models[0])):
        registry.erasures.bury(Erasure(f"s{number}", "ana", "asked", DIGEST), {node.id: 0})
    asked = [Exchange(id, "api", 1, models[0].id, "r", 1.0, {}, "p", "r") for id in ("a", "b", "c")]
    registry.exchanges.record([*asked, asked[0]])
    for id in ("a", "b", "c"):
        registry.exchanges.feedback(Feedback(id, 1))
        registry.audit.append("look", id, by="ana")
    registry.exchanges.erase(["c"])


@pytest.fixture
def lived(registry: Registry) -> Registry:
    live(registry)
    return registry


def touched(registry: Registry) -> list[str]:
    return [str(row) for row in (*registry.seals.touched(), *registry.exchanges.seals.touched())]


def test_what_the_registry_wrote_itself_is_untouched(lived: Registry) -> None:
    assert touched(lived) == []
    assert lived.audit.verify().ok
    lived.fail_running(None, "it died")
    assert touched(lived) == []


@contextmanager
def behind_its_back(registry: Registry, table: str) -> Iterator[sqlite3.Connection]:
    """Open what the sqlite3 shell would open, and afterwards put back what it did."""
    path = registry.folder / ("exchanges.db" if table in ASKED else "registry.db")
    with (
        closing(sqlite3.connect(path, isolation_level=None)) as connection,
        closing(sqlite3.connect(":memory:")) as kept,
    ):
        connection.backup(kept)
        yield connection
        kept.backup(connection)


def first(connection: sqlite3.Connection, table: str) -> tuple[str, tuple[Any, ...]]:
    """Return the condition that finds the first row of a table, with its parameters."""
    info = connection.execute(f"PRAGMA table_info({table})").fetchall()
    keys = [name for _, name, _, _, _, number in info if number]
    chosen = ", ".join(f'"{key}"' for key in keys)
    return " AND ".join(f'"{key}" IS ?' for key in keys), connection.execute(f"SELECT {chosen} FROM {table}").fetchone()


def columns(registry: Registry, table: str) -> list[str]:
    with behind_its_back(registry, table) as connection:
        return [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]


@pytest.mark.parametrize("table", [*RECORDED, *DECIDED, *ASKED])
@pytest.mark.parametrize("value", ["'touched'", "CAST(x'ff' AS TEXT)", "-7", "NULL"])
def test_an_edit_of_any_column_is_named(lived: Registry, table: str, value: str) -> None:
    tried = 0
    for column in columns(lived, table):
        with behind_its_back(lived, table) as connection:
            where, key = first(connection, table)
            edit = f'UPDATE {table} SET "{column}" = {value} WHERE {where} AND "{column}" IS NOT {value}'
            try:
                edited = connection.execute(edit, key).rowcount
            except sqlite3.IntegrityError:
                continue
            if edited:
                tried += 1
                assert any(line.startswith(f"{table} ") for line in touched(lived)), column
    assert tried or value == "NULL"


@pytest.mark.parametrize("table", [*RECORDED, *DECIDED, *ASKED])
def test_a_deleted_row_is_named(lived: Registry, table: str) -> None:
    with behind_its_back(lived, table) as connection:
        where, key = first(connection, table)
        connection.execute(f"DELETE FROM {table} WHERE {where}", key)

        [line, *_] = [line for line in touched(lived) if line.startswith(f"{table} ")]

    assert "is missing" in line


@pytest.mark.parametrize("table", [*RECORDED, *DECIDED, *ASKED])
def test_an_added_row_is_named(lived: Registry, table: str) -> None:
    with behind_its_back(lived, table) as connection:
        where, key = first(connection, table)
        names = columns(lived, table)
        copied = [f"'{table}-7'" if name == "name" else "77" if f'"{name}"' in where else f'"{name}"' for name in names]
        quoted = ", ".join(f'"{name}"' for name in names)
        connection.execute(f"INSERT INTO {table} ({quoted}) SELECT {', '.join(copied)} FROM {table} WHERE {where}", key)

        found = [line for line in touched(lived) if line.startswith(f"{table} ")]

    assert len(found) == 1
    assert "77" in found[0] or "-7" in found[0]
