"""What personal data and secrets become, by the policy for each kind."""

from __future__ import annotations

import json
import re
from typing import Any

import pyarrow as pa
import pytest

import mlm
from mlm_plugins.detectors.pii import find
from mlm_plugins.transforms.pii import Pii
from mlm_plugins.transforms.secrets import Secrets

CARD = "4111 1111 1111 1111"
TOKEN = "ghp_" + "aB3dE5" * 6


def texts(made: mlm.Dataset) -> list[str]:
    return [str(row["text"]) for row in made.rows()]


def test_pii_is_masked_and_counted(apply: Any) -> None:
    made = apply(Pii(), {"prompt": ["I am joe@example.org", "hi"], "completion": [f"Pay {CARD}", "x"]})

    assert [row["prompt"] for row in made.rows()] == ["I am <EMAIL>", "hi"]
    assert [row["completion"] for row in made.rows()] == ["Pay <CARD>", "x"]
    assert json.loads((made.path / "statistics.json").read_text())["changed"] == {"pii": 1}


def test_a_dropped_row_does_not_keep_the_data_in_the_removal(apply: Any) -> None:
    rows = [f"{CARD} joe@example.org", "mail joe@example.org", "from 192.0.2.1"]

    made = apply(Pii(policy={"card": "drop", "ip": "keep"}), {"text": rows})

    assert texts(made) == ["mail <EMAIL>", "from 192.0.2.1"]
    (gone,) = made.removed()
    assert (gone["reason"], gone["detail"], gone["text"]) == ("pii", "card", "<CARD> <EMAIL>")


def test_urls_stay_unless_the_policy_says_otherwise(apply: Any) -> None:
    rows = {"text": ["See https://example.org/?to=joe@example.org."]}

    assert texts(apply(Pii(), rows)) == ["See https://example.org/?to=<EMAIL>."]
    assert texts(apply(Pii(policy={"url": "redact"}), rows)) == ["See <URL>."]


def test_equal_values_have_equal_digests_by_their_key_alone(apply: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = {"text": [CARD, "4111-1111-1111-1111", "5500-0000-0000-0004", "joe@example.org JOE@example.org"]}
    transform = Pii(policy={"card": "hash", "email": "hash"}, key=mlm.Secret("KEY"))

    monkeypatch.setenv("KEY", "one")
    one = texts(apply(transform, rows))
    again = texts(apply(transform, rows, size=1))
    monkeypatch.setenv("KEY", "other")
    other = texts(apply(transform, rows))

    assert one == again
    assert one[0] == one[1] != one[2]
    assert re.fullmatch(r"<CARD:[b-t]{16}>", one[0])
    assert re.fullmatch(r"(<EMAIL:[b-t]{16}>) \1", one[3])
    assert set(one).isdisjoint(other)
    assert [find(text) for text in one] == [[]] * 4


def test_tokens_that_differ_in_case_alone_have_other_digests(apply: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY", "one")

    made = apply(Secrets(policy={"github": "hash"}, key=mlm.Secret("KEY")), {"text": [TOKEN, "ghp_" + "AB3dE5" * 6]})

    assert len(set(texts(made))) == 2
    assert all(re.fullmatch(r"<GITHUB:[b-t]{16}>", text) for text in texts(made))


def test_a_digest_without_a_key_is_refused() -> None:
    with pytest.raises(ValueError, match="`hash` needs a key"):
        Pii(policy={"card": "hash"})


def test_a_key_that_is_not_set_is_an_error_that_names_the_variable(apply: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KEY", raising=False)

    with pytest.raises(mlm.ProjectError, match="KEY is not set"):
        apply(Pii(policy={"card": "hash"}, key=mlm.Secret("KEY")), {"text": [CARD]})


@pytest.mark.parametrize("policy", [{"mail": "drop"}, {"email": "delete"}])
def test_an_unknown_policy_is_refused(policy: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"mail|delete"):
        Pii(policy=policy)
    with pytest.raises(ValueError, match=r"mail|email"):
        Secrets(policy=policy)


def test_secrets_are_masked_or_take_their_row_along(apply: Any) -> None:
    rows = {"text": [f"use {TOKEN}", "password = 'hY7fbK2pQx9w'", "tell no secret"]}

    assert texts(apply(Secrets(), rows)) == ["use <GITHUB>", "password = '<ASSIGNMENT>'", "tell no secret"]
    made = apply(Secrets(policy={"github": "drop", "assignment": "keep"}), rows)
    assert texts(made) == rows["text"][1:]
    (gone,) = made.removed()
    assert (gone["reason"], gone["detail"], gone["text"]) == ("secrets", "github", "use <GITHUB>")


@pytest.mark.parametrize("transform", [Pii(), Secrets()])
def test_nothing_that_was_found_is_quoted_and_untouched_columns_are_not_copied(transform: Any) -> None:
    columns = {
        "row_id": ["a"],
        "source": ["s"],
        "prompt": [f"{CARD} {CARD} {TOKEN} joe@example.org"],
        "completion": ["x"],
    }
    batch = mlm.Batch(pa.table(columns))
    context: Any = None

    made = transform.mlm_map(batch, context)

    (change,) = made.changes
    assert change.details in (("2 card, 1 email",), ("github",))
    assert made.table["completion"] is not None
    assert (
        made.table["completion"].chunk(0).buffers()[2].address
        == batch.table["completion"].chunk(0).buffers()[2].address
    )
