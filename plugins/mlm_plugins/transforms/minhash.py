"""Near duplicates."""

from __future__ import annotations

from attrs import define
from attrs.validators import and_, ge, gt, in_, le

import mlm
from mlm_plugins.detectors.near import NearTexts
from mlm_plugins.transforms.firsts import scratch, without
from mlm_plugins.transforms.reading import batches, compared


@define(kw_only=True)
class MinHash:
    """Removes rows that are nearly equal to an earlier row (MinHash, Broder 1997).

    Candidates come from sketches in bands; each is verified by the exact Jaccard similarity of its shingles. Letter
    case and white space do not count. Every removed row is near a row that stays. Shingles of characters suit short
    rows and every script; shingles of words are for documents: one changed word in a question is most of its runs of
    five words, and few of its runs of five characters.
    """

    threshold: float = mlm.setting(
        0.85, validator=and_(gt(0), le(1)), help="Jaccard similarity from which rows are near"
    )
    columns: list[str] = mlm.setting(
        factory=list, help="columns that are compared; without any, all text columns and tools"
    )
    shingle: int = mlm.setting(5, validator=ge(1), help="length of a shingle, in what `unit` says")
    unit: str = mlm.setting(
        "characters", validator=in_(("characters", "words")), help="what a shingle is a run of: characters or words"
    )
    permutations: int = mlm.setting(128, validator=ge(1), help="length of a sketch")

    @mlm.hookimpl
    def mlm_transform(self, data: mlm.Dataset, context: mlm.Context) -> mlm.Dataset:
        import numpy as np

        blank = []
        with scratch(context) as folder:
            texts = NearTexts(
                folder=folder, threshold=self.threshold, words=self.unit == "words", size=self.shingle,
                places=self.permutations, seed=context.seed,
            )  # fmt: skip
            for batch in batches(data):
                rows, is_blank = compared(batch, self.columns, context.step)
                blank.append(is_blank)
                texts.add(rows)
            first, similarity = texts.find()
        if blank:
            first[np.concatenate(blank)] = -1
        return without(data, first, lambda row, kept: f"near {kept}, similarity {similarity[row]:.3f}",
                       "near-duplicate", context)  # fmt: skip
