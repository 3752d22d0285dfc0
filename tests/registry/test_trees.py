"""The manifest of a directory: canonical, and read back as it was written."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from mlm_registry.rows import canonical
from mlm_registry.trees import Entry, manifest, read_manifest

names = st.text(st.characters(exclude_characters="/\0"), min_size=1).filter(lambda name: name not in (".", ".."))
entries = st.builds(
    Entry,
    path=st.lists(names, min_size=1, max_size=3).map("/".join),
    digest=st.binary(min_size=32, max_size=32).map(bytes.hex),
    size=st.integers(0, 1 << 63),
    executable=st.booleans(),
)


@given(st.lists(entries, unique_by=lambda entry: entry.path))
def test_a_manifest_is_canonical_json_and_reads_back(found: list[Entry]) -> None:
    text = manifest(found)

    assert text.decode() == canonical(sorted(found))
    assert json.loads(text) == [list(entry) for entry in sorted(found)]
    assert read_manifest(text, "0" * 64) == sorted(found)
