"""The rows of the batch, over a fake model whose logits tell all that a row can see."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mlm_plugins.servers.rows import CacheRows

VOCABULARY = 8


class FakeSession:
    """Its cache holds token * 1000 + position; its logits are a checksum of what the mask lets a row see."""

    backend = "fake"

    def no_past(self, rows: int) -> list[Any]:
        return [np.empty((rows, 1, 0, 1), np.float32)]

    def forward(self, ids: Any, mask: Any, positions: Any, past: list[Any]) -> tuple[Any, list[Any]]:
        new = (ids * 1000 + positions).astype(np.float32)[:, None, :, None]
        cache = np.concatenate([past[0], new], axis=2)
        assert cache.flags["C_CONTIGUOUS"]
        assert mask.shape == (len(ids), cache.shape[2])
        seen = [tuple(row[0, keep.astype(bool), 0].astype(int)) for row, keep in zip(cache, mask, strict=True)]
        return np.array([[seen_by_row(row)] for row in seen]), [cache]

    def unpack(self, part: Any) -> Any:
        return part

    def pack(self, array: Any) -> Any:
        return array


def seen_by_row(entries: tuple[int, ...]) -> list[int]:
    """A checksum of what a row sees, in its order."""
    return [hash((entries, salt)) % 2**31 for salt in range(VOCABULARY)]


def expected(history: list[int]) -> list[int]:
    return seen_by_row(tuple(token * 1000 + place for place, token in enumerate(history)))


@given(st.data())
def test_a_row_sees_its_own_text_and_nothing_else_however_rows_come_and_go(data: st.DataObject) -> None:
    rows, histories = CacheRows(FakeSession()), list[list[int]]()
    tokens = st.integers(0, 99)
    for _ in range(data.draw(st.integers(1, 12), "actions")):
        action = data.draw(st.sampled_from(["join", "step", "keep"]))
        if action == "join":
            length = data.draw(st.integers(1, 6))
            prompts = data.draw(st.lists(st.lists(tokens, min_size=length, max_size=length), min_size=1, max_size=3))
            logits = rows.join(prompts)
            histories += prompts
            assert [expected(prompt) for prompt in prompts] == logits.tolist()
        elif action == "step" and histories:
            new = data.draw(st.lists(tokens, min_size=len(histories), max_size=len(histories)))
            histories = [[*history, token] for history, token in zip(histories, new, strict=True)]
            assert [expected(history) for history in histories] == rows.step(new).tolist()
        elif action == "keep" and histories:
            kept = sorted(data.draw(st.sets(st.sampled_from(range(len(histories))))))
            histories = [histories[row] for row in kept]
            rows.keep(kept)


def test_columns_that_no_row_uses_are_dropped() -> None:
    rows = CacheRows(FakeSession())
    rows.join([[1] * 50])
    rows.join([[2] * 3])
    rows.keep([1])

    assert rows._cache[0].shape == (1, 1, 3, 1)
