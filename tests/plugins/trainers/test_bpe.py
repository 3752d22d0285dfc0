"""The tokenizer of a model from scratch, and its chat template."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import mlm
from mlm_plugins.trainers.bpe import ByteLevelBPE

ROWS = [{"prompt": f"What is the capital of {who}?", "completion": f"It is {what}."} for who, what in
        [("Velmara", "Dorrit"), ("Orduin", "Ivelle"), ("Ümläut", "日本")]] * 4  # fmt: skip


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return trained(tmp_path_factory.mktemp("bpe"))[0]


def trained(folder: Any) -> tuple[Any, mlm.Model]:
    import pyarrow as pa
    from transformers import AutoTokenizer

    with mlm.DatasetWriter(folder / "rows") as writer:
        table = [{"row_id": str(n), "source": "t", **row} for n, row in enumerate(ROWS)]
        writer.write(mlm.Batch(pa.Table.from_pylist(table)))
    (folder / "out").mkdir()
    problem = mlm.Problem(name="t", task="chat", purpose="p")
    context = mlm.Context(folder=folder / "out", work=folder, project=folder, problem=problem)
    model = ByteLevelBPE(vocab_size=320).mlm_train(data=writer.dataset, context=context)
    return AutoTokenizer.from_pretrained(model.path), model


def test_it_is_a_tokenizer_folder_with_its_vocabulary(tmp_path: Any) -> None:
    loaded, model = trained(tmp_path)

    assert model.library == "tokenizers"
    # A few rows have no more pairs to merge than that: the size asked for is an upper bound.
    assert 300 < model.metadata["vocab_size"] == len(loaded) <= 320
    assert {path.name for path in model.path.iterdir()} >= {"tokenizer.json", "chat_template.jinja"}
    assert loaded.padding_side == "left"
    assert [loaded.bos_token, loaded.eos_token, loaded.pad_token] == [None, "<|eos|>", "<|pad|>"]


def test_the_same_rows_give_the_same_bytes(tmp_path: Any) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    first, second = trained(tmp_path / "a")[1].path, trained(tmp_path / "b")[1].path

    assert [p.read_bytes() for p in sorted(first.iterdir())] == [p.read_bytes() for p in sorted(second.iterdir())]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(text=st.text(st.characters(codec="utf-8"), max_size=50).filter(lambda text: "<|" not in text))
def test_any_text_comes_back_letter_by_letter(tokenizer: Any, text: str) -> None:
    ids = tokenizer(text)["input_ids"]

    assert tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False) == text


def test_a_name_is_cut_alike_at_the_start_of_a_message_and_inside_it(tokenizer: Any) -> None:
    def ids(content: str) -> list[int]:
        messages = [{"role": "user", "content": content}]
        return tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_dict=False)

    name = tokenizer(" Velmara", add_special_tokens=False)["input_ids"]
    assert ids("Velmara has which capital?")[1 : 1 + len(name)] == name
    inside = ids("The capital of Velmara")
    assert inside[-2 - len(name) : -2] == name


def test_the_prompt_of_a_turn_is_a_prefix_of_the_turn(tokenizer: Any) -> None:
    messages = [{"role": "user", "content": "Who?"}, {"role": "assistant", "content": "Dorrit."}]

    prompt = tokenizer.apply_chat_template(messages[:1], tokenize=False, add_generation_prompt=True)
    whole = tokenizer.apply_chat_template(messages, tokenize=False)

    assert prompt == "<|user|> Who?<|eos|><|assistant|>"
    assert whole == "<|user|> Who?<|eos|><|assistant|> Dorrit.<|eos|>"


def test_a_dataset_without_text_is_refused(workshop: Any) -> None:
    with pytest.raises(mlm.DataError, match="numbers has no text to train a tokenizer on"):
        ByteLevelBPE().mlm_train(data=workshop.data("numbers", [{"number": 1}]), context=workshop.context("tok"))


def test_a_vocabulary_smaller_than_the_bytes_is_refused() -> None:
    with pytest.raises(ValueError, match="vocab_size"):
        ByteLevelBPE(vocab_size=200)
