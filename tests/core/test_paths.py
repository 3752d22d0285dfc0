"""A path names a file, a folder or a pattern; what it names is part of a step's fingerprint."""

from __future__ import annotations

from pathlib import Path

from trial import TrialProject

from mlm.paths import files_at


def make(folder: Path, *names: str) -> None:
    for name in names:
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(name, encoding="utf-8")


def names(path: Path) -> list[str]:
    return [name for name, _ in files_at(path)]


def test_a_folder_is_all_its_files_but_the_hidden_ones(tmp_path: Path) -> None:
    make(tmp_path, "b.txt", "a/c.txt", ".hidden", ".git/config")

    assert names(tmp_path) == ["a/c.txt", "b.txt"]


def test_a_pattern_is_what_it_matches_named_from_where_it_begins(tmp_path: Path) -> None:
    make(tmp_path, "x/a/1.txt", "x/b/2.txt", "x/b/3.md")

    assert names(tmp_path / "x" / "*" / "*.txt") == ["a/1.txt", "b/2.txt"]
    assert names(tmp_path / "x" / "**" / "*.md") == ["b/3.md"]
    assert names(tmp_path / "nothing*") == []


def test_a_file_whose_name_looks_like_a_pattern_is_a_file(tmp_path: Path) -> None:
    make(tmp_path, "a[1].txt", "a1.txt")

    assert names(tmp_path / "a[1].txt") == ["a[1].txt"]


def test_links_in_a_circle_are_followed_once(tmp_path: Path) -> None:
    make(tmp_path, "a/1.txt")
    (tmp_path / "a" / "back").symlink_to(tmp_path, target_is_directory=True)

    assert names(tmp_path) == ["a/1.txt"]


def test_a_step_runs_again_where_a_file_of_its_pattern_is_new_or_another(life: TrialProject) -> None:
    life.jsonl("more-1.jsonl", [{"prompt": "a", "completion": "b"}])
    life.change("[problem]", '[data.more]\nuse = "jsonl"\npath = "more-*.jsonl"\n\n[problem]')

    def status() -> str:
        steps = life.mlm("run", "more", "--json").json["steps"]
        return str(next(step["status"] for step in steps if step["name"] == "more"))

    first, again = status(), status()
    life.jsonl("more-2.jsonl", [{"prompt": "c", "completion": "d"}])
    with_another = status()
    life.jsonl("more-2.jsonl", [{"prompt": "e", "completion": "f"}])

    assert [first, again, with_another, status()] == ["ran", "cached", "ran", "ran"]


def test_a_pattern_that_matches_nothing_is_named_before_anything_runs(life: TrialProject) -> None:
    life.change("[problem]", '[data.more]\nuse = "jsonl"\npath = "more-*.jsonl"\n\n[problem]')

    assert "there is no file" in life.mlm("run").error
