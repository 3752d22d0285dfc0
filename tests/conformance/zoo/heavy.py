"""A transform whose module imports a heavy library at its top."""

from __future__ import annotations

import numpy
from attrs import define

import mlm


@define(kw_only=True)
class Heavy:
    """Imports numpy before anybody asked."""

    @mlm.hookimpl
    def mlm_map(self, batch: mlm.Batch) -> mlm.Batch:
        return batch.with_column("length", numpy.array([len(text) for text in batch.texts()]))
