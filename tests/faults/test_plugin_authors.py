"""What the author of a plugin is told, who has it installed as editable code."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from making import distribution
from trial import TrialProject

CODE = """
from typing import ClassVar

from attrs import define

import mlm

@define(kw_only=True)
class Words:
    '''Counts words.'''

    metrics: ClassVar[tuple[mlm.MetricSpec, ...]] = (mlm.MetricSpec("answer_words", "words"),)

    @mlm.hookimpl
    def mlm_evaluate(self, model: mlm.Model) -> mlm.Report:
        return {report}
"""
MEASURE = 'mlm.Report((mlm.Measure("{metric}", 3.0, 10, unit="{unit}"),))'


def measured(metric: str, unit: str = "") -> str:
    return CODE.replace("{report}", MEASURE.format(metric=metric, unit=unit))


@pytest.fixture
def counted(sound: TrialProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TrialProject:
    """A project that counts the words of its model with a plugin that somebody works on; its code is to be written."""
    site = distribution(tmp_path / "site", "acme-words", {"evaluators/words": "Words"})
    (site / "acme_words-1.0.dist-info" / "direct_url.json").write_text(json.dumps({"dir_info": {"editable": True}}))
    monkeypatch.syspath_prepend(site)
    monkeypatch.delitem(sys.modules, "acme_words", raising=False)
    sound.change("[problem]", '[evaluation.length]\nuse = "words"\nmodel = "chat"\n[problem]')
    return sound


def code_of(project: TrialProject) -> Path:
    return project.folder.parent / "site" / "acme_words.py"


@pytest.mark.parametrize(
    ("code", "told"),
    [
        (
            measured("words"),
            "it measured 'words', which its `metrics` do not name: add mlm.MetricSpec(\"words\", ...) to `metrics`"
            " (they name answer_words), or do not measure it  [{file}:14]",
        ),
        (
            measured("answer_words", "tokens"),
            "it measured 'answer_words' in 'tokens', and its `metrics` say 'words': say unit=\"words\" or none when"
            " measuring it, or mend its MetricSpec  [{file}:14]",
        ),
        (CODE.replace("{report}", "3"), "mlm_evaluate returned int, expected Report  [{file}:14]"),
    ],
)
def test_a_broken_word_is_answered_with_what_mends_it_and_where(counted: TrialProject, code: str, told: str) -> None:
    code_of(counted).write_text(code)

    answer = counted.mlm("run", "--json")

    [error] = [one["error"] for one in answer.json["steps"] if one["name"] == "length"]
    assert error == f"acme-words:evaluators/words 1.0: {told.format(file=code_of(counted))}"


@pytest.mark.parametrize(
    ("code", "line"), [("\n\nimport not_there\n", 3), ("def broken(:\n", 1), ("\nraise RuntimeError('no')\n", 2)]
)
def test_an_import_that_fails_is_shown_where_it_stands(counted: TrialProject, code: str, line: int) -> None:
    code_of(counted).write_text(code)

    refused = counted.mlm("plan")

    assert (refused.code, f"  [{code_of(counted)}:{line}]  [mlm.toml, evaluation.length.use]" in refused.error) == (
        1, True,
    )  # fmt: skip
    assert "upgrade" not in refused.error


def test_a_column_that_rows_do_not_have_is_answered_with_those_that_they_have(counted: TrialProject) -> None:
    code = CODE.replace("model: mlm.Model)", "model: mlm.Model, data: mlm.Dataset)")
    code_of(counted).write_text(code.replace("{report}", '[row["promt"] for row in data.rows()]'))
    counted.change('use = "words"\nmodel = "chat"', 'use = "words"\nmodel = "chat"\ndata = "lessons"')

    answer = counted.mlm("run", "--json")

    [error] = [one["error"] for one in answer.json["steps"] if one["name"] == "length"]
    assert error == (
        "the rows have no column 'promt' (columns: row_id, source, prompt, completion); did you mean 'prompt'?"
    )


def test_a_measure_without_a_unit_has_the_one_that_was_announced(counted: TrialProject) -> None:
    code_of(counted).write_text(measured("answer_words"))

    assert counted.run("length")["length"] == "ran"
    assert [(one["value"], one["unit"]) for one in counted.mlm("show", "length", "--json").json["scores"]] == [
        (3.0, "words")
    ]
