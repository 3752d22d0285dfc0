"""Classes that break the contract in ways that can be seen before anything runs."""

from __future__ import annotations

from attrs import define

import mlm


class Plain:
    """Is no attrs class."""


@define(kw_only=True)
class Hookless:
    """Implements nothing."""


@define(kw_only=True)
class Misspelt:
    """Implements a hook that there is not."""

    @mlm.hookimpl
    def mlm_trian(self, data: mlm.Dataset, context: mlm.Context) -> mlm.Model:
        return mlm.Model(context.folder)
