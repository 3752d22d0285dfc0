"""Tokens that are made turn by turn are those that are made at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from talks import CHATML, TALK, Loader, labelled, talk

from mlm_plugins.trainers.growing import Growing

PIECE = st.sampled_from(["<s>", "</s>", "<|user|>", "<|us", " ", "\n", "▁", "er|>", "river", "é", "Ünd", "city."])


def tokenizer_of(normalizer: Any, pre_tokenizer: Any, **marks: bool) -> Any:
    """Return a tokenizer of a few words and all characters, with special tokens that have those marks."""
    from tokenizers import AddedToken, Tokenizer, models, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True))
    if normalizer:
        tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre_tokenizer
    special = [AddedToken(one, special=True, normalized=False, **marks) for one in ("<s>", "</s>", "<|user|>")]
    trainer = trainers.BpeTrainer(vocab_size=120, special_tokens=["<unk>", *special], show_progress=False)
    tokenizer.train_from_iterator(["the river city. Und the old city of the river é ▁"] * 9, trainer)
    made = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="</s>")
    made.chat_template = CHATML
    return made


def of_llama() -> Any:
    from tokenizers import normalizers, pre_tokenizers

    return tokenizer_of(normalizers.NFKC(), pre_tokenizers.Metaspace(prepend_scheme="first"))


def of_older_llama() -> Any:
    from tokenizers import normalizers, pre_tokenizers

    steps = [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]
    return tokenizer_of(normalizers.Sequence(steps), pre_tokenizers.Metaspace(prepend_scheme="never"))


def of_phi() -> Any:
    from tokenizers import pre_tokenizers

    return tokenizer_of(None, pre_tokenizers.ByteLevel(add_prefix_space=False), rstrip=True, lstrip=True)


def of_words_alone() -> Any:
    from tokenizers import pre_tokenizers

    return tokenizer_of(None, pre_tokenizers.ByteLevel(add_prefix_space=True), single_word=True)


@pytest.mark.parametrize("made", [of_llama, of_older_llama, of_phi, of_words_alone])
def test_texts_that_grow_have_the_tokens_that_each_has_alone(made: Callable[[], Any]) -> None:
    tokenizer = made()

    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None)
    @given(pieces=st.lists(PIECE, max_size=20), back=st.integers(0, 3))
    def holds(pieces: list[str], back: int) -> None:
        growing, text = Growing(tokenizer), ""
        for number, piece in enumerate(pieces):
            text = "".join(pieces[: number - back]) if number == 9 else text + piece
            assert growing.read(text) == tokenizer(text, add_special_tokens=False)["input_ids"]

    holds()


class Counted:
    """A tokenizer that counts the characters that it is given; with `odd`, what is asked for places is shifted."""

    def __init__(self, tokenizer: Any, *, odd: bool = False) -> None:
        self.tokenizer, self.odd, self.characters = tokenizer, odd, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.tokenizer, name)

    def __call__(self, text: str, **options: Any) -> Any:
        self.characters += len(text)
        made = self.tokenizer(text, **options)
        if self.odd and "offset_mapping" in made:
            made["input_ids"][0] += 1
        return made


def test_a_turn_is_tokenized_a_few_times_however_many_turns_there_are(load: Loader) -> None:
    from mlm_plugins.trainers.bpe import CHAT_TEMPLATE

    tokenizer = Counted(load(CHAT_TEMPLATE))
    long = [TALK[0], *TALK[1:3] * 50]

    labelled(tokenizer, [talk(long)], 1 << 20)

    written = len(tokenizer.apply_chat_template(long, tokenize=False))
    assert written < tokenizer.characters < 7 * written


@pytest.mark.parametrize("is_fast", [True, False])
def test_where_tokens_cannot_be_made_turn_by_turn_the_labels_are_the_same(load: Loader, is_fast: bool) -> None:
    tokenizer = Counted(load(CHATML), odd=is_fast)
    tokenizer.is_fast = is_fast

    assert labelled(tokenizer, [talk(TALK)]) == labelled(load(CHATML), [talk(TALK)])
