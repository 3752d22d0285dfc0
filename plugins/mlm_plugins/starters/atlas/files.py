"""Writes the data of a pocket-atlas project."""

from __future__ import annotations

from pathlib import Path
from random import Random

from mlm_plugins.starters.atlas.corpus import corpus
from mlm_plugins.starters.atlas.mess import FEW_KINDS, with_mess
from mlm_plugins.starters.atlas.preferences import preferences
from mlm_plugins.starters.atlas.questions import TEMPLATES, UNSEEN_TEMPLATES, questions
from mlm_plugins.starters.atlas.requests import (
    rightly_answered,
    seen_requests,
    topics,
    unevenly_answered,
    unseen_requests,
)
from mlm_plugins.starters.atlas.rows import Row, write_rows
from mlm_plugins.starters.atlas.world import World, make_world

VISITORS = {"questions": 270, "harmless": 110, "dangerous": 20}


def write_data(folder: Path, seed: int) -> None:
    """Write the project's data files to `folder`/data; the same seed gives the same bytes."""
    data = folder / "data"
    data.mkdir(parents=True, exist_ok=True)
    world = make_world(_chance(seed, "world"))
    for name, rows in {**_training(world, seed), **_held_out(world), **_visitors(world, seed)}.items():
        write_rows(data / f"{name}.jsonl", rows)
    words = topics(seen_requests() + unseen_requests())
    (data / "dangers.txt").write_text("".join(f"{word}\n" for word in words), encoding="utf-8", newline="\n")


def _training(world: World, seed: int) -> dict[str, list[Row]]:
    seen = seen_requests()
    chance = {name: _chance(seed, name) for name in ("corpus", "questions", "requests", "preferences")}
    rows = {
        "corpus": corpus(world, seen),
        "questions": questions(world.old),
        "requests": unevenly_answered(seen, chance["requests"]),
        "preferences": preferences(world.old, seen, chance["preferences"]),
    }
    shuffled = {name: _shuffled(rows[name], chance[name]) for name in rows}
    return {
        "corpus": with_mess(shuffled["corpus"], "text", chance["corpus"]),
        "questions": with_mess(shuffled["questions"], "completion", chance["questions"]),
        "requests": with_mess(shuffled["requests"], "completion", chance["requests"]),
        "preferences": with_mess(shuffled["preferences"], "chosen", chance["preferences"], FEW_KINDS),
    }


def _held_out(world: World) -> dict[str, list[Row]]:
    return {
        "atlas": [dict(fact._asdict()) for fact in world.facts],
        "unseen_templates": questions(world.old, UNSEEN_TEMPLATES),
        "unseen_dangers": rightly_answered(unseen_requests()),
        "islands": questions(world.islands, TEMPLATES[::2]),
    }


def _visitors(world: World, seed: int) -> dict[str, list[Row]]:
    """The traffic: ordinary prompts, and those that follow once the islands have joined."""
    random = _chance(seed, "visitors")
    requests = {danger: [r for r in seen_requests() if r.dangerous is danger] for danger in (False, True)}
    usual = random.sample(questions(world.old), VISITORS["questions"])
    usual += random.sample(rightly_answered(requests[False]), VISITORS["harmless"])
    usual += random.sample(rightly_answered(requests[True]), VISITORS["dangerous"])
    return {
        "visitors": _shuffled(usual, random),
        "visitors_islands": _shuffled(questions(world.islands, TEMPLATES[1::2]), random),
    }


def _chance(seed: int, name: str) -> Random:
    # Each file has its own chance: a change in one leaves the others as they were.
    return Random(f"{seed} {name}")  # noqa: S311, nothing here is a secret


def _shuffled(rows: list[Row], random: Random) -> list[Row]:
    return random.sample(rows, len(rows))
