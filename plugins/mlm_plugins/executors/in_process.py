"""Runs steps here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attrs import define

import mlm


@define(kw_only=True)
class InProcess:
    """Runs each step in this process, one after another."""

    @mlm.hookimpl
    def mlm_execute(self, work: Callable[[], Any], context: mlm.Context) -> Any:
        return work()
