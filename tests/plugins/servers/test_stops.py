from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlm.decoding import Decoder
from mlm_plugins.servers.stops import StopWatch
from mlm_plugins.servers.tokenizer import FileTokenizer


@pytest.fixture(scope="module")
def tokenizer(byte_tokenizer: Path) -> FileTokenizer:
    return FileTokenizer(byte_tokenizer)


@settings(deadline=None)
@given(text=st.text())
def test_pieces_add_up_to_the_decoded_text(tokenizer: FileTokenizer, text: str) -> None:
    ids = tokenizer.encode(text)
    decoder = Decoder(tokenizer.decode)

    assert "".join(decoder.feed([token]) for token in ids) + decoder.close() == tokenizer.decode(ids)


@settings(deadline=None)
@given(text=st.text("abc né€\n", max_size=40), stop=st.lists(st.text("abc né€\n", min_size=1, max_size=4), max_size=3))
def test_a_stop_string_is_seen_at_the_token_that_completes_it(
    tokenizer: FileTokenizer, text: str, stop: list[str]
) -> None:
    ids = tokenizer.encode(text)
    watch = StopWatch(tokenizer.decode, stop)
    seen = next((count for count, token in enumerate(ids, 1) if watch(token)), None)

    complete = [n for n in range(1, len(ids) + 1) if any(s in tokenizer.decode(ids[:n]) for s in stop)]
    assert (complete[0] if complete else None) == seen
