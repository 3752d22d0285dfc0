"""How much of a public benchmark of personal data is found."""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path

import pytest

from mlm_plugins.detectors.pii import find

KINDS = {"EMAIL_ADDRESS": "email", "CREDIT_CARD": "card", "IBAN_CODE": "iban", "IP_ADDRESS": "ip"}
PRIVATE = {*KINDS, "PHONE_NUMBER", "US_SSN"}


@pytest.mark.real
@pytest.mark.parametrize("name", ["generated_large", "synth_dataset_v2"])
def test_every_address_and_number_of_presidio_research_is_found(name: str) -> None:
    folder = os.environ.get("MLM_REAL_DATA")
    if not folder:
        pytest.skip("MLM_REAL_DATA is not set")
    rows = json.loads((Path(folder) / "safety" / "pii" / f"{name}.json").read_text(encoding="utf-8"))
    found: Counter[str] = Counter()
    wanted: Counter[str] = Counter()
    for row in rows:
        spans = find(row["full_text"])
        for entity in row["spans"]:
            if kind := KINDS.get(entity["entity_type"]):
                wanted[kind] += 1
                found[kind] += any(
                    s.start <= entity["start_position"] and s.end >= entity["end_position"] for s in spans
                )
        private = [e for e in row["spans"] if e["entity_type"] in PRIVATE]
        for span in spans:
            assert any(span.start < e["end_position"] and span.end > e["start_position"] for e in private)

    assert set(wanted) == set(KINDS.values())
    assert found == wanted
