"""Personal data in training rows."""

from __future__ import annotations

from attrs import define
from attrs.validators import deep_mapping, in_

import mlm
from mlm_plugins.detectors.pii import BOUNDED, KINDS
from mlm_plugins.detectors.searching import personal_data
from mlm_plugins.transforms.masking import ACTIONS, Masking, checked


@define(kw_only=True)
class Pii:
    """Masks addresses, and numbers of phones, cards, accounts and people, by a policy for each."""

    policy: dict[str, str] = mlm.setting(
        factory=dict,
        validator=deep_mapping(in_(KINDS), in_(ACTIONS)),
        help=f"what happens to {', '.join(KINDS)}: redact (the default), hash (equal values stay equal), "
        "drop (the row), keep (the default of url)",
    )
    key: mlm.Secret | None = mlm.setting(None, help='what digests are keyed with, needed by hash: { env = "NAME" }')

    def __attrs_post_init__(self) -> None:
        checked(self.policy, self.key)

    @mlm.hookimpl
    def mlm_map(self, batch: mlm.Batch, context: mlm.Context) -> mlm.Batch:
        policy = {kind: self.policy.get(kind, "redact" if kind in BOUNDED else "keep") for kind in KINDS}
        key = context.secret(self.key).encode() if self.key else b""
        return Masking("pii", personal_data, policy, key).apply(batch)
