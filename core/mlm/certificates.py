"""Certificates of erasure: what was erased, and what could not be; kept under their digests, naming nobody."""

from __future__ import annotations

import json
from typing import Any, Literal

from attrs import frozen

from mlm_registry import NotFound, Registry

Class = Literal["retrain", "retire"]
REMAINS = (
    "Weights are not unlearned: a model that was trained on the rows may still reproduce them until it is retrained or "
    "retired.",
    "Files outside the registry (raw sources, reports written to disk, logs, backups) are not touched. Rows of the "
    "subject in raw sources are dropped when they are read again.",
    "A remote keeps its copies until the next `mlm push`; other registries keep theirs until they pull.",
    "Rows that name the person only in their text are not found; erase them by their ids (--row).",
    "Lines that could not be parsed were set aside without a name, so no subject finds them: look through them "
    "(`mlm data sample NAME --removed --reason malformed --json`), and erase them by their ids (--row).",
)


@frozen
class AffectedModel:
    """A model that learned from erased rows: one to retrain (its step makes a new one), or to retire (it is old)."""

    ref: str
    action: Class
    state: str


@frozen
class Certificate:
    """What was erased, and what could not be; names nobody."""

    erasure: str
    """Keyed digest of the subject, as in the ledger."""
    at: float
    by: str
    reason: str
    rows: int
    exchanges: int
    datasets: tuple[tuple[str, str], ...]
    """(old version, new version without the rows); empty where no row was left."""
    reports: tuple[str, ...]
    models: tuple[AffectedModel, ...]
    unaffected: int
    """Number of models that rest on none of the rows."""
    files: tuple[tuple[str, tuple[int, ...]], ...] = ()
    """(file, lines) that hold rows under their ids outside the registry, and stay there until they are deleted."""
    remains: tuple[str, ...] = REMAINS


@frozen
class Erased:
    """An erasure that was done, or, where `done` is false, would be."""

    done: bool
    certificate: Certificate
    digest: str = ""
    """The certificate's own digest in the registry."""


def kept_certificate(registry: Registry, digest: str) -> Erased:
    """Read the certificate of a digest, or of the beginning of one; NotFound where it is not that of one erasure."""
    known = dict.fromkeys(erasure.certificate for erasure in registry.erasures.all())
    meant = [one for one in known if one.startswith(digest)]
    if len(meant) != 1:
        found = ", ".join(one[:12] for one in meant or known) or "none"
        raise NotFound(f"{len(meant)} certificates begin with {digest!r}, expected one (known: {found})")
    return Erased(True, _certificate(json.loads(registry.objects.read(meant[0]))), meant[0])


def _certificate(told: dict[str, Any]) -> Certificate:
    return Certificate(
        **told
        | {name: tuple(told[name]) for name in ("reports", "remains")}
        | {
            "datasets": tuple((old, new) for old, new in told["datasets"]),
            "files": tuple((file, tuple(lines)) for file, lines in told.get("files", ())),
            "models": tuple(AffectedModel(**model) for model in told["models"]),
        }
    )
