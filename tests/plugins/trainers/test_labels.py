"""Which tokens of a row are learned: the answers, what ends their turns, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from talks import (
    CALL,
    CALLING,
    CHATML,
    CLOSED,
    FICKLE,
    MARKED,
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
from mlm_plugins.trainers.counting import Counts
from mlm_plugins.trainers.labels import IGNORED, Labeller


def learned(tokenizer: Any, ids: Sequence[int], labels: Sequence[int]) -> list[str]:
    """Decode each run of tokens that has labels."""
    assert all(label in (token, IGNORED) for token, label in zip(ids, labels, strict=True))
    runs = groupby(labels, lambda label: label != IGNORED)
    return [tokenizer.decode(list(run)) for has_loss, run in runs if has_loss]


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        (CHAT_TEMPLATE, [" the river city.</s>", " a mountain.</s>"]),
        (CHATML, ["the river city.</s>\n", "a mountain.</s>\n"]),
        (MARKED, ["the river city.</s>", "a mountain.</s>"]),
        (THINKING, ["the river city.</s>", "a mountain.</s>"]),
    ],
)
def test_exactly_the_answers_and_the_ends_of_their_turns_are_learned(
    load: Loader, template: str, expected: list[str]
) -> None:
    tokenizer = load(template)

    [(ids, labels)] = labelled(tokenizer, [talk(TALK)])

    assert learned(tokenizer, ids, labels) == expected
    assert tokenizer.decode(ids) == tokenizer.apply_chat_template(TALK, tokenize=False)


def test_where_a_template_marks_answers_the_labels_are_those_of_its_marks(load: Loader) -> None:
    tokenizer = load(MARKED)
    marked = tokenizer.apply_chat_template(TALK, return_dict=True, return_assistant_tokens_mask=True)

    [(ids, labels)] = labelled(tokenizer, [talk(TALK)])

    assert ids == marked["input_ids"]
    assert [int(label != IGNORED) for label in labels] == marked["assistant_masks"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30, deadline=None)
@given(turns=st.lists(st.text(st.characters(codec="utf-8"), min_size=1, max_size=9), min_size=2, max_size=6))
def test_whatever_is_said_the_answers_alone_are_learned(load: Loader, turns: list[str]) -> None:
    tokenizer = load(CHAT_TEMPLATE)
    said = [turn.replace("<", "(") for turn in turns]
    messages = [{"role": ("user", "assistant")[n % 2], "content": text} for n, text in enumerate(said)]

    [(ids, labels)] = labelled(tokenizer, [talk(messages)])

    assert learned(tokenizer, ids, labels) == [f" {text.strip()}</s>" for text in said[1::2]]


@pytest.mark.parametrize("template", [CHAT_TEMPLATE, CHATML, THOUGHTFUL, CLOSED, THINKING, None])
@pytest.mark.parametrize("max_length", [24, 512])
def test_pairs_have_the_labels_that_trl_gives_them(
    load: Loader, template: str | None, max_length: int, tiny_llama: mlm.Model, tmp_path: Path
) -> None:
    from transformers import AutoModelForCausalLM
    from trl import SFTConfig, SFTTrainer

    tokenizer = load(template)
    theirs = SFTTrainer(
        AutoModelForCausalLM.from_pretrained(tiny_llama.path),
        args=SFTConfig(
            str(tmp_path),
            max_length=max_length,
            completion_only_loss=True,
            use_cpu=True,
            bf16=False,
            activation_checkpointing=False,
        ),
        train_dataset=spoken(tokenizer, PAIRS),
        processing_class=load(template),
    ).train_dataset

    ours = labelled(tokenizer, PAIRS, max_length)

    assert ours == list(zip(theirs["input_ids"], theirs["labels"], strict=True))


def test_what_is_too_long_is_cut_and_left_out_where_no_answer_is_left(load: Loader) -> None:
    tokenizer = load(CHAT_TEMPLATE)
    [(whole, labels)] = labelled(tokenizer, [talk(TALK)])
    places = [place for place, label in enumerate(labels) if label != IGNORED]

    for length in range(2, len(whole) + 2):
        cut = labelled(tokenizer, [talk(TALK)], length)
        assert cut == ([(whole[:length], labels[:length])] if length > places[0] else [])


@pytest.mark.parametrize(("template", "end"), [(THOUGHTFUL, "</s>"), (CLOSED, "</s><pad>")])
def test_a_template_that_writes_earlier_answers_anew_makes_a_sequence_of_each_answer(
    load: Loader, template: str, end: str
) -> None:
    tokenizer = load(template)

    made = labelled(tokenizer, [talk(TALK)])

    thought = "[ ]" if template == THOUGHTFUL else ""
    expected = [[f"{thought}the river city.{end}"], [f"{thought}a mountain.{end}"]]
    assert [learned(tokenizer, ids, labels) for ids, labels in made] == expected
    # The last is asked for as a server asks for it: after what was said before, in the template's words.
    asked = tokenizer.apply_chat_template(TALK[:-1], tokenize=False, add_generation_prompt=True)
    assert tokenizer.decode(made[-1][0]).startswith(asked)


def test_an_answer_to_nothing_and_what_follows_the_last_answer_are_not_learned(load: Loader) -> None:
    tokenizer = load(CHAT_TEMPLATE)
    greeting = {"role": "assistant", "content": "who?"}

    [(ids, labels)] = labelled(tokenizer, [talk([greeting, *TALK[1:4]])])

    assert learned(tokenizer, ids, labels) == [" the river city.</s>"]
    assert tokenizer.decode(ids).startswith("<|assistant|> who?</s><|user|>")
    assert "north" not in tokenizer.decode(ids)


def test_tools_and_their_calls_are_written_as_records(load: Loader) -> None:
    tokenizer = load(CALLING)
    call = {"id": None, "type": "function", "function": {"name": "find", "arguments": '{"what": "river"}'}}
    messages = [
        {"role": "user", "content": "where?", "tool_calls": None, "name": None, "extra": '{"seen": 1}'},
        {"role": "assistant", "content": None, "tool_calls": [call], "name": None, "extra": None},
        {"role": "tool", "content": "north", "tool_calls": None, "name": "find", "extra": None},
        {"role": "assistant", "content": "in the north.", "tool_calls": None, "name": None, "extra": None},
    ]

    [(ids, labels)] = labelled(tokenizer, [talk(messages, tools='[{"name": "find"}]')])

    called = '{"name": "find", "arguments": {"what": "river"}}</s>'
    assert learned(tokenizer, ids, labels) == [called, "in the north.</s>"]
    assert tokenizer.decode(ids).startswith('<|system|>[{"name": "find"}]</s><|user|>where?</s>')


def test_the_template_is_handed_what_was_thought_and_no_field_that_is_not_known(load: Loader) -> None:
    tokenizer = load("{# tool_calls #}{% for message in messages %}{{ message | tojson + '</s>' }}{% endfor %}")
    call = {"index": 0, "type": "function", "function": {"name": "find", "arguments": "{}", "note": "x"}, "log": "x"}
    answer = {"role": "assistant", "content": "north", "reasoning_content": "where?", "tool_calls": [call]}
    seen = {"refusal": "x", "function_call": {"name": "x", "arguments": "{}"}, "annotations": "x", "extra": "x"}

    [(ids, _)] = labelled(tokenizer, [talk([TALK[1], answer | seen, *TALK[3:]])])

    spoken = [json.loads(text) for text in tokenizer.decode(ids).split("</s>")[:-1]]
    called = {"type": "function", "function": {"name": "find", "arguments": {}}}
    # Transformers adds the other name of `reasoning_content`.
    expected = answer | {"tool_calls": [called], "thinking": "where?"}
    assert spoken == [TALK[1], expected, *TALK[3:]]


def test_each_row_is_of_the_form_that_it_fills(load: Loader) -> None:
    tokenizer = load(CHAT_TEMPLATE)
    rows = [
        {"row_id": "1", "messages": None, "prompt": "who?", "completion": "north."},
        {"row_id": "2", "messages": TALK[1:3], "prompt": None, "completion": None},
        {"row_id": "3", "messages": None, "prompt": TALK[1:2], "completion": TALK[2:3]},
    ]
    made = [labelled(tokenizer, [row])[0] for row in rows]

    assert [learned(tokenizer, *one) for one in made] == [[" north.</s>"], *[[" the river city.</s>"]] * 2]
    assert made[1] == made[2]


NO_CALL = "tool call in message 2 of 'messages' that is not {'function': {'name': ..., 'arguments': ...}}"


@pytest.mark.parametrize(
    ("row", "template", "told"),
    [
        ({"prompt": "who?", "completion": None}, CHATML, "has neither 'messages' nor both 'prompt' and 'completion'"),
        ({"messages": TALK[:2]}, CHATML, "has no answer to learn: no message of the assistant follows another"),
        ({"messages": []}, CHATML, "has no answer to learn: no message of the assistant follows another"),
        ({"messages": "hello"}, CHATML, "has a str in 'messages', expected a list of records with role and content"),
        ({"messages": ["hello"]}, CHATML, "has a list in 'messages', expected a list of records with role and content"),
        ({"messages": [{"content": "who?"}]}, CHATML, "has no role in message 1 of 'messages'"),
        (
            {"messages": [*TALK[:2], {"role": "assistant", "content": None}]},
            CHATML,
            "has no text in message 3 of 'messages', the assistant's",
        ),
        (
            {"messages": [TALK[1], {"role": "assistant", "content": None, "tool_calls": [CALL]}]},
            CHATML,
            "calls a tool in message 2, which the chat template cannot write: take a model whose template can, ",
        ),
        ({"messages": TALK, "tools": "[{"}, CHATML, "has 'tools' that are no JSON: "),
        ({"messages": TALK[1:]}, "{{ raise_exception('no!') }}", "is refused by the model's chat template: no!"),
        (
            {"messages": TALK[1:]},
            FICKLE,
            "cannot be masked: alone, the template writes what precedes message 2",
        ),
        ({"messages": TALK}, None, "holds messages, and the model has no chat template; give it 'prompt' and 'comple"),
        (
            {"prompt": "who?", "completion": TALK[2:3]},
            None,
            "holds messages in 'completion', and the model has no chat template; give it text",
        ),
        ({"prompt": None, "completion": "a"}, None, "holds nothing in 'prompt', and the model has no chat template"),
        *(
            ({"messages": [TALK[1], {**TALK[2], "tool_calls": calls}]}, CALLING, f"has a {told}")
            for calls, told in (
                ([{"name": "find", "arguments": "{}"}], NO_CALL),
                ([{"id": "1", "function": None}], NO_CALL),
                ([{"id": "1", "function": "find"}], NO_CALL),
                ([{"id": "1", "function": {}}], NO_CALL),
                (["find"], NO_CALL),
                ("[{}]", "str as 'tool_calls' of message 2 of 'messages', expected a list of records"),
            )
        ),
    ],
)
def test_a_row_that_cannot_be_learned_is_named(
    load: Loader, row: dict[str, Any], template: str | None, told: str
) -> None:
    with pytest.raises(mlm.DataError) as caught:
        labelled(load(template), [{"row_id": "7", **row}])

    assert str(caught.value).startswith(f"row 7 of talks {told}")


def test_an_answer_that_nothing_ends_is_named(load: Loader) -> None:
    tokenizer = load(None)
    tokenizer.eos_token = None

    with pytest.raises(
        mlm.DataError, match="row a of talks has no end: the model has neither a chat template nor an eos"
    ):
        labelled(tokenizer, PAIRS)


def test_turns_that_come_after_max_length_are_not_written_one_by_one(load: Loader) -> None:
    """So a long conversation costs what its beginning costs, however many turns follow."""
    tokenizer = load(CHAT_TEMPLATE)
    written = list[int]()
    write = tokenizer.apply_chat_template

    def counted(messages: Any, **more: Any) -> Any:
        written.append(len(messages))
        return write(messages, **more)

    tokenizer.apply_chat_template = counted
    long = [TALK[0], *TALK[1:3] * 200]

    [(ids, labels)] = labelled(tokenizer, [talk(long)], 64)
    [(whole_ids, whole_labels)] = labelled(load(CHAT_TEMPLATE), [talk(long)], 1 << 20)

    assert len(long) < sum(written) < 2 * len(long)
    assert (ids, labels) == (whole_ids[:64], whole_labels[:64])


def test_the_error_names_where_the_row_was_read(load: Loader) -> None:
    with pytest.raises(mlm.DataError, match=r"^row 7 of talks \(calls.jsonl:3\) has no answer to learn"):
        labelled(load(CHATML), [talk(TALK[:2], source="calls.jsonl:3")])


@pytest.mark.parametrize(
    ("template", "max_length", "learned", "cut", "left_out"),
    [
        (CHATML, 512, 1, 0, 0),
        (CHATML, 40, 1, 1, 0),
        (CHATML, 8, 0, 0, 1),
        (THOUGHTFUL, 512, 2, 0, 0),
        (THOUGHTFUL, 8, 0, 0, 2),
    ],
)
def test_what_the_length_cuts_or_leaves_out_is_counted(
    load: Loader, template: str, max_length: int, learned: int, cut: int, left_out: int
) -> None:
    import datasets

    labeller = Labeller(load(template), max_length, "talks")

    labeller.label(datasets.Dataset.from_list([talk(TALK)]))

    assert labeller.counts == Counts(sequences=learned, sequences_cut=cut, sequences_left_out=left_out)
