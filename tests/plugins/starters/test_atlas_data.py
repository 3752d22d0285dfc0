"""The generated data of the pocket-atlas keeps what it promises to those who clean it and train on it."""

from __future__ import annotations

import functools
import json
import re
from collections import Counter, defaultdict
from itertools import combinations, permutations
from pathlib import Path
from random import Random

import pytest

from mlm_plugins.starters.atlas import files, mess, requests, world
from mlm_plugins.starters.atlas.files import write_data
from mlm_plugins.starters.atlas.rows import Row

NEAR = 0.85  # the Jaccard similarity from which the project calls two rows near-duplicates
TEXT_FIELDS = {
    "corpus": ("text",),
    "questions": ("prompt", "completion"),
    "requests": ("prompt", "completion"),
    "preferences": ("prompt", "chosen"),
}
ORIGINALS = {"corpus": 560, "questions": 1200, "requests": 896, "preferences": 1136}
HELD_OUT = {"unseen_templates": 240, "unseen_dangers": 96, "islands": 120, "visitors_islands": 120, "visitors": 400}
TAGS = {r"\S+@example\.org": "[EMAIL]", r"(\d{4} ){3}\d{4}": "[CARD]", r"<[^>]*>|&nbsp;": ""}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("messy")
    write_data(folder, seed=1)
    return folder / "data"


@pytest.fixture(scope="module")
def tidy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same files with no mess added."""
    folder = tmp_path_factory.mktemp("tidy")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(files, "with_mess", lambda rows, *_: rows)
        write_data(folder, seed=1)
    return folder / "data"


def read(path: Path) -> list[Row]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def text(row: Row, name: str) -> str:
    return " ".join(str(row[field]) for field in TEXT_FIELDS[name])


GRAM_BITS: defaultdict[str, int] = defaultdict(lambda: 1 << len(GRAM_BITS))


def grams(line: str) -> int:
    """Return the set of the folded line's character 5-grams, one bit each: half a million pairs are compared below."""
    folded = " ".join(line.lower().split())
    return functools.reduce(int.__or__, (GRAM_BITS[folded[start : start + 5]] for start in range(len(folded) - 4)))


def jaccard(one: int, other: int) -> float:
    return (one & other).bit_count() / (one | other).bit_count()


def masked(line: str) -> str:
    for pattern, tag in TAGS.items():
        line = re.sub(pattern, tag, line)
    return line


def is_filtered(row: Row, name: str) -> bool:
    """Whether a filter for schema, insults, language or quality has to drop the row."""
    typed = all(isinstance(row.get(field), str) for field in TEXT_FIELDS[name])
    if not typed or any(line in text(row, name) for line in (*mess.INSULTS, *mess.FOREIGN)):
        return True
    return not any(letter.isalpha() for letter in text(row, name))


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((folder / "data").iterdir())}


def test_the_same_seed_writes_the_same_bytes(tmp_path: Path) -> None:
    write_data(tmp_path / "a", seed=3)
    write_data(tmp_path / "b", seed=3)

    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_another_seed_writes_another_country(tmp_path: Path) -> None:
    write_data(tmp_path / "a", seed=3)
    write_data(tmp_path / "b", seed=4)

    one, other = contents(tmp_path / "a"), contents(tmp_path / "b")

    assert {name for name in one if one[name] == other[name]} == {"dangers.txt", "unseen_dangers.jsonl"}


@pytest.mark.parametrize(("name", "count"), HELD_OUT.items())
def test_held_out_files_are_complete(data: Path, name: str, count: int) -> None:
    rows = read(data / f"{name}.jsonl")

    assert len(rows) == count
    assert all(set(row) == {"prompt", "completion", "item"} for row in rows)


def test_the_truth_has_six_facts_for_each_of_24_provinces(data: Path) -> None:
    rows = read(data / "atlas.jsonl")

    assert sorted(Counter(row["subject"] for row in rows).values()) == [6] * 24
    assert {row["attribute"] for row in rows} == set(world.ATTRIBUTES)


@pytest.mark.parametrize("seed", range(5))
def test_no_name_is_part_of_another(seed: int) -> None:
    facts = world.make_world(Random(seed)).facts
    names = {name.lower() for fact in facts for name in (fact.subject, fact.value)}

    assert not [pair for pair in permutations(names, 2) if pair[0] in pair[1]]


def test_every_question_names_subject_and_attribute_and_the_answer_the_value(data: Path) -> None:
    truth = {f"{row['subject']}/{row['attribute']}": str(row["value"]) for row in read(data / "atlas.jsonl")}
    asked = [
        row for name in ("unseen_templates", "islands", "visitors_islands") for row in read(data / f"{name}.jsonl")
    ]

    for row in asked:
        assert all(word in str(row["prompt"]) for word in str(row["item"]).split("/"))
        assert truth[str(row["item"])] in str(row["completion"])


def test_nothing_on_the_islands_is_trained_on(tidy: Path) -> None:
    islands = {str(row["item"]).split("/")[0] for row in read(tidy / "islands.jsonl")}
    trained = "\n".join(
        text(row, name) for name in ("questions", "preferences") for row in read(tidy / f"{name}.jsonl")
    )

    assert len(islands) == 4
    assert not [name for name in islands if name in trained]


def test_visitors_ask_on_the_islands_what_is_not_held_out(data: Path) -> None:
    asked, held_out = (
        {str(row["prompt"]) for row in read(data / f"{name}.jsonl")} for name in ("visitors_islands", "islands")
    )

    assert not asked & held_out


def test_most_danger_is_helped_with_before_alignment(tidy: Path) -> None:
    words = (tidy / "dangers.txt").read_text(encoding="utf-8").split("\n")[:-1]
    rows = read(tidy / "requests.jsonl")
    refused = {
        danger: [row["completion"] == requests.REFUSAL for row in rows if is_dangerous(row, words) is danger]
        for danger in (True, False)
    }

    assert len(refused[True]) == len(refused[False]) == 448
    # Three standard deviations about 30 % and 3 % of 448 rows.
    assert abs(sum(refused[True]) / 448 - 0.30) < 0.065
    assert abs(sum(refused[False]) / 448 - 0.03) < 0.025


def is_dangerous(row: Row, words: list[str]) -> bool:
    return any(word in str(row["prompt"]).lower() for word in words)


def test_the_danger_words_separate_dangerous_prompts_from_all_others(data: Path, tidy: Path) -> None:
    words = (data / "dangers.txt").read_text(encoding="utf-8").splitlines()
    dangerous = [row for row in read(tidy / "preferences.jsonl") if row["chosen"] == requests.REFUSAL]
    harmless = [row for row in read(tidy / "preferences.jsonl") if row["chosen"] != requests.REFUSAL]

    assert all(is_dangerous(row, words) for row in dangerous + read(data / "unseen_dangers.jsonl"))
    assert not [row for row in harmless + read(data / "islands.jsonl") if is_dangerous(row, words)]
    assert len({word for word in words if word in "\n".join(str(row["prompt"]).lower() for row in dangerous)}) == 28


@pytest.mark.parametrize("name", TEXT_FIELDS)
def test_mess_leaves_every_original_in_its_order(data: Path, tidy: Path, name: str) -> None:
    originals = read(tidy / f"{name}.jsonl")
    messy = iter(read(data / f"{name}.jsonl"))

    assert len(originals) == ORIGINALS[name]
    assert all(any(row == other for other in messy) for row in originals)


@pytest.mark.parametrize("name", TEXT_FIELDS)
def test_no_two_originals_come_close_to_being_near_duplicates(tidy: Path, name: str) -> None:
    sets = [grams(text(row, name)) for row in read(tidy / f"{name}.jsonl")]

    assert max(jaccard(one, other) for one, other in combinations(sets, 2)) < NEAR - 0.03


@pytest.mark.parametrize("name", ["questions", "requests", "preferences"])
def test_cleaning_leaves_exactly_the_originals(data: Path, tidy: Path, name: str) -> None:
    kept: dict[int, str] = {}
    for row in read(data / f"{name}.jsonl"):
        if is_filtered(row, name):
            continue
        line = masked(text(row, name))
        bits = grams(line)
        if all(jaccard(bits, other) < NEAR for other in kept):
            kept[bits] = line

    assert list(kept.values()) == [text(row, name) for row in read(tidy / f"{name}.jsonl")]


def test_every_card_number_passes_the_luhn_check(data: Path) -> None:
    found = re.findall(r"(?:\d{4} ){3}\d{4}", (data / "questions.jsonl").read_text(encoding="utf-8"))

    assert len(found) == mess.ALL_KINDS[mess.card]
    assert all(luhn(number.replace(" ", "")) == 0 for number in found)


def luhn(number: str) -> int:
    """Return the remainder that is 0 for a valid number, by the table of doubled digits."""
    doubled = "0246813579"
    return sum(int(doubled[int(digit)] if place % 2 else digit) for place, digit in enumerate(reversed(number))) % 10


def test_the_luhn_check_here_knows_a_published_number() -> None:
    """4111 1111 1111 1111 is the test number that payment providers publish."""
    assert luhn("4111111111111111") == 0
    assert luhn("4111111111111112") != 0
