"""The model card: everything that the registry knows, in the Hub's form."""

from __future__ import annotations

from typing import Any

import pytest
from trial import TrialProject

from mlm.cards import card_of
from mlm.errors import MlmError

pyyaml = pytest.importorskip("yaml")


def written(project: TrialProject, ref: str) -> str:
    with project.open() as workspace:
        made = card_of(workspace, ref)
    assert made.ref.partition("@")[0] == ref.partition("@")[0]
    return made.markdown


def head(markdown: str) -> dict[str, Any]:
    found: dict[str, Any] = pyyaml.safe_load(markdown.split("---\n")[1])
    return found


def section(markdown: str, title: str) -> str:
    return markdown.split(f"## {title}\n", 1)[1].split("\n## ", 1)[0]


def test_the_head_has_the_keys_of_the_hub(recorded: TrialProject) -> None:
    found = head(written(recorded, "safe"))

    assert found["license"] == "apache-2.0"
    assert found["language"] == ["en", "de"]
    assert (found["library_name"], found["pipeline_tag"]) == ("transformers", "text-generation")
    assert (found["base_model"], found["datasets"]) == (["chat"], ["facts", "raw"])
    assert found["tags"] == ["atlas", "chat", "mlm"]


def test_results_stand_in_the_head_with_interval_and_sample_size(recorded: TrialProject) -> None:
    [model] = head(written(recorded, "safe"))["model-index"]

    assert model["name"] == "safe@1"
    [result] = model["results"]
    assert result["task"] == {"type": "text-generation"}
    assert (result["dataset"]["type"], result["dataset"]["name"]) == ("facts", "facts@1")
    values = {m["type"]: (m["value"], m["args"]["n"], m["args"]["low"]) for m in result["metrics"]}
    assert values == {"exact_match": (0.95, 200, 0.91), "hallucination_rate": (0.3, 50, 0.2)}


@pytest.mark.heavy
def test_the_hub_library_reads_the_card(recorded: TrialProject) -> None:
    hub = pytest.importorskip("huggingface_hub")

    data = hub.ModelCard(written(recorded, "safe")).data

    assert data.license == "apache-2.0"
    assert data.model_name == "safe@1"
    assert {(r.metric_type, r.metric_value, r.dataset_name) for r in data.eval_results} == {
        ("exact_match", 0.95, "facts@1"),
        ("hallucination_rate", 0.3, "facts@1"),
    }


def test_intended_use_and_abuse_come_from_the_problem(recorded: TrialProject) -> None:
    markdown = written(recorded, "safe")

    assert "Answer questions about a small country." in section(markdown, "Intended use")
    assert "- runs on one core" in section(markdown, "Intended use")
    assert "weapons, malware" in section(markdown, "Out-of-scope use")


def test_training_data_of_every_ancestor_is_named_with_its_rows(recorded: TrialProject) -> None:
    found = section(written(recorded, "safe"), "Training data")

    assert "| facts@1 | chat@1 | test 2, train 5 |" in found
    assert "| raw@1 | safe@1 | train 4 |" in found


def test_the_procedure_names_settings_seed_compute_time_and_cost(recorded: TrialProject) -> None:
    found = section(written(recorded, "safe"), "Training procedure")

    assert (
        '| chat@1 | training | mlm:trainers/sft 0.1.0 | `{"learning_rate": 0.001}` | 7 | 3e+12 | 1 min 30 s | 0.0020 |'
        in found
    )


def test_evaluation_shows_interval_and_sample_size(recorded: TrialProject) -> None:
    found = section(written(recorded, "safe"), "Evaluation")

    assert "| exact_match | 95.0 % | 91.0 % to 98.0 % | 200 | quality | facts@1 |" in found


def test_limitations_are_those_that_were_measured(recorded: TrialProject) -> None:
    found = section(written(recorded, "safe"), "Limitations")

    assert "truth: hallucination_rate 0.3 [0.2, 0.4], required &lt;= 0.1: broken" in found
    assert "calm: toxicity_rate of this version was not evaluated" in found
    assert "on live traffic: truth: hallucination_rate 0.5" in found
    assert "canary rollout: errors rose" in found
    assert "usefulness" not in found


def test_gates_lineage_software_and_approvals_are_there(recorded: TrialProject) -> None:
    markdown = written(recorded, "safe")

    assert "| gate | usefulness | pass | exact_match 0.95 \\| fine |" in section(markdown, "Gates and checks")
    assert f"| chat@1 | model | `{'c' * 64}` |" in section(markdown, "Lineage")
    assert "| python | 3.11.7 |" in section(markdown, "Software")
    assert "pid" not in section(markdown, "Software")
    governed = section(markdown, "State and approvals")
    assert "State: approved." in governed
    assert "Alias `production` points here" in governed
    assert "Serves 100% of deployment `api`." in governed
    assert "| promote | ada |" in governed


def test_a_model_that_nobody_measured_says_so(recorded: TrialProject) -> None:
    markdown = written(recorded, "chat")

    assert "model-index" not in head(markdown)
    assert "usefulness: exact_match of this version was not evaluated" in section(markdown, "Limitations")


def test_a_report_has_no_card(recorded: TrialProject) -> None:
    with pytest.raises(MlmError, match="quality@1 is a report: only a model or a dataset has a card"):
        written(recorded, "quality")


def test_the_card_of_a_life_names_what_the_exam_was_taken_on(life: TrialProject) -> None:
    life.run()

    [model] = head(written(life, "chat@1"))["model-index"]

    assert [result["dataset"]["name"] for result in model["results"]] == ["exam@1"]
