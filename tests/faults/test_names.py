"""Names and texts of every Unicode plane, with newlines and without, come back as they were."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import example, given, settings
from hypothesis import strategies as st
from trial import TrialProject

from mlm_registry import Objects

PLANES = "".join(chr((plane << 16) + 0x1F600 % 0x10000 + 1) for plane in range(17))
HARD = [
    "new\nline",
    "\r",
    "\t",
    " lead",
    "trail ",
    "-rf",
    "~",
    "'; DROP TABLE nodes; --",
    "\u202eback",
    "é",
    "e\u0301",
    PLANES,
]
NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="/\0"), min_size=1, max_size=20).filter(
    lambda name: name not in (".", "..") and len(os.fsencode(name)) < 200
)


@settings(max_examples=100, deadline=None)
@given(names=st.sets(NAMES, max_size=5))
@example(set(HARD))
def test_a_directory_of_any_names_comes_back_as_it_was(names: set[str]) -> None:
    with TemporaryDirectory() as place:
        root = Path(place) / "source"
        (root / "below").mkdir(parents=True)
        for name in names:
            (root / "below" / name).write_bytes(name.encode())
        objects = Objects(Path(place) / ".mlm")

        digest = objects.put(root)

        laid_out = [file for file in objects.path(digest).rglob("*") if file.is_file()]
        assert {file.name: file.read_bytes().decode() for file in laid_out} == {name: name for name in names}
        assert objects.digest(root) == digest
        assert objects.verify(digest)
        objects.close()


def test_a_name_that_is_no_text_comes_back_too(tmp_path: Path) -> None:
    root = tmp_path / "source"
    root.mkdir()
    (root / os.fsdecode(b"\xff\xfe")).write_bytes(b"1")
    objects = Objects(tmp_path / ".mlm")

    laid_out = objects.path(objects.put(root))

    assert os.listdir(os.fsencode(laid_out)) == [b"\xff\xfe"]
    objects.close()


def test_rows_of_every_plane_live_and_are_erased(life: TrialProject) -> None:
    rows = [{"prompt": f"{text} {i}?", "completion": text, "user": text} for i, text in enumerate(HARD)]
    life.jsonl("lessons.jsonl", rows)
    life.jsonl("exam.jsonl", rows[:6])
    life.change("min = 0.8", "min = 0.5")
    life.change("[requirements]", '[access]\nerase = ["tester"]\n\n[requirements]')
    life.deploy()
    life.visit(rows)
    for text in HARD:
        asked = life.mlm("erase", f"--subject={text}", "--reason", "asked to\nin two lines", "--yes", "--json")
        assert (asked.code, asked.err) == (0, "")
        assert asked.json[-1]["certificate"]["rows"] >= 1
        assert life.mlm("status").code == 0
