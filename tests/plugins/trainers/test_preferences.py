"""Preferences are written and tokenized as conversations are, and as TRL does it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from talks import (
    CALL,
    CALLING,
    CHATML,
    CLOSED,
    PAIRS,
    TALK,
    THINKING,
    THOUGHTFUL,
    Loader,
    labelled,
    spoken,
    talk,
)

import mlm
from mlm_plugins.trainers.bpe import CHAT_TEMPLATE
from mlm_plugins.trainers.labels import IGNORED
from mlm_plugins.trainers.preferences import Pairs

COLUMNS = ("prompt_ids", "chosen_ids", "rejected_ids")
ROWS = [
    {"row_id": pair["row_id"], "prompt": pair["prompt"], "chosen": pair["completion"], "rejected": other["completion"]}
    for pair, other in zip(PAIRS, reversed(PAIRS), strict=True)
]


def tokens(tokenizer: Any, rows: Sequence[dict[str, Any]], max_length: int = 512) -> list[dict[str, Any]]:
    import datasets

    datasets.disable_progress_bars()
    return list(Pairs(tokenizer, max_length, "choices").tokens(datasets.Dataset.from_list(list(rows))))


@pytest.mark.parametrize("template", [CHAT_TEMPLATE, CHATML, THOUGHTFUL, CLOSED, THINKING, None])
@pytest.mark.parametrize("max_length", [24, 512])
def test_preferences_have_the_tokens_that_trl_gives_them(
    load: Loader, template: str | None, max_length: int, tiny_llama: mlm.Model, tmp_path: Path
) -> None:
    from transformers import AutoModelForCausalLM
    from trl import DPOConfig, DPOTrainer

    tokenizer = load(template)
    theirs = DPOTrainer(
        AutoModelForCausalLM.from_pretrained(tiny_llama.path),
        args=DPOConfig(str(tmp_path), max_length=max_length, use_cpu=True, bf16=False, activation_checkpointing=False),
        train_dataset=spoken(tokenizer, ROWS),
        processing_class=load(template),
    ).train_dataset

    ours = tokens(tokenizer, ROWS, max_length)

    assert ours == [{name: row[name] for name in COLUMNS} for row in theirs]


def test_a_preferred_tool_call_is_written_as_in_a_conversation(load: Loader) -> None:
    """Each with its own arguments, whatever those of other rows are called."""
    tokenizer = load(CALLING)
    tools = '[{"name": "find"}]'
    rows = []
    for number, given in enumerate(('{"what": "river"}', '{"where": "north"}')):
        call = {"id": None, "type": "function", "function": {"name": "find", "arguments": given}}
        chosen = {"role": "assistant", "content": None, "tool_calls": [call], "extra": "x"}
        row = {"prompt": TALK[1:2], "chosen": [chosen], "rejected": [chosen | {"content": "no", "tool_calls": None}]}
        rows.append({"row_id": str(number), "tools": tools, **row})

    made = tokens(tokenizer, rows)

    for row, pair in zip(rows, made, strict=True):
        [(ids, labels)] = labelled(tokenizer, [talk([*row["prompt"], *row["chosen"]], tools=tools)])
        assert pair["prompt_ids"] + pair["chosen_ids"] == ids
        assert [IGNORED] * len(pair["prompt_ids"]) + pair["chosen_ids"] == labels
        assert tokenizer.decode(pair["rejected_ids"]) == "no</s>"


@pytest.mark.parametrize(
    ("more", "template", "told"),
    [
        ({"prompt": None}, CHATML, "has no 'prompt'"),
        ({"rejected": None}, CHATML, "has no 'rejected'"),
        ({"prompt": []}, CHATML, "has no message in 'prompt'"),
        ({"chosen": TALK[1:2]}, CHATML, "has no message in 'chosen'"),
        (
            {"chosen": [{"role": "assistant", "content": None}]},
            CHATML,
            "has no text in message 1 of 'chosen', the assi",
        ),
        (
            {"chosen": [{"role": "assistant", "tool_calls": [CALL]}]},
            CHATML,
            "calls a tool in message 2, which the chat template cannot write: take a model whose template can, ",
        ),
        ({"tools": "[{"}, CHATML, "has 'tools' that are no JSON: "),
        ({}, "{{ raise_exception('no!') }}", "is refused by the model's chat template: no!"),
        ({}, None, "holds messages in 'prompt', and the model has no chat template; give it text"),
        ({"prompt": "who?"}, None, "holds messages in 'chosen', and the model has no chat template; give it text"),
    ],
)
def test_a_preference_that_cannot_be_learned_is_named(
    load: Loader, more: dict[str, Any], template: str | None, told: str
) -> None:
    row = {"row_id": "7", "prompt": TALK[1:2], "chosen": TALK[2:3], "rejected": TALK[4:]}

    with pytest.raises(mlm.DataError) as caught:
        tokens(load(template), [row | more])

    assert str(caught.value).startswith(f"row 7 of choices {told}")
