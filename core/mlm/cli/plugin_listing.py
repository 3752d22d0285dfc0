"""Which plugins a command means, and what is said of each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from mlm.cli.opening import warn

if TYPE_CHECKING:
    from mlm.discovery import PluginRef
    from mlm.plugins import Catalogue


def of_kind(catalogue: Catalogue, kind: str | None) -> list[PluginRef]:
    """List plugins of a kind, or all."""
    from mlm.errors import near_miss
    from mlm.plugins import KINDS

    if kind is not None and kind not in KINDS:
        raise click.UsageError(f"no kind is named '{kind}' (kinds: {', '.join(KINDS)}){near_miss(kind, KINDS)}")
    return [ref for ref in catalogue.refs if kind in (None, ref.kind)]


def named(catalogue: Catalogue, name: str) -> list[PluginRef]:
    """List the plugins that a name means; there may be one of each kind, and of each distribution."""
    from mlm.discovery import parted
    from mlm.errors import PluginError, near_miss
    from mlm.installed import normal
    from mlm.plugins import KINDS

    distribution, kind, short = parted(name, KINDS)
    hits = [
        ref
        for ref in catalogue.refs
        if ref.name == short and kind in ("", ref.kind) and normal(distribution) in ("", normal(ref.distribution))
    ]
    if not hits:
        raise PluginError(f"no plugin is named '{name}'{near_miss(short, {ref.name for ref in catalogue.refs})}")
    return hits


def warned(catalogue: Catalogue) -> bool:
    """Warn of what the list of plugins cannot show, and say whether metadata was unreadable."""
    from mlm.installed import unreadable

    for line in catalogue.rules.idle(catalogue.refs):
        warn(line)
    unread = unreadable()
    for place, reason in unread.items():
        warn(f"the metadata in {place} cannot be read ({reason}), nor its plugins: install that distribution again")
    return bool(unread)


def row_of(catalogue: Catalogue, ref: PluginRef) -> dict[str, str]:
    """Return a plugin's line of the list; it is not imported."""
    from mlm.conforming import kept

    state, reason = catalogue.state(ref)
    report = kept(ref)
    checked = f"{report.passed}/{len(report.results)}" if report else ""
    return {
        "kind": ref.kind, "name": ref.name, "distribution": ref.distribution, "version": ref.version,
        "state": state, "reason": reason, "checked": checked,
    }  # fmt: skip


def described(catalogue: Catalogue, ref: PluginRef) -> dict[str, Any]:
    """Return all that is known of a plugin, which is imported."""
    from mlm.plugins import implemented
    from mlm.schemas import settings_schema

    state, reason = catalogue.state(ref)
    cls = catalogue.load(ref)
    metrics = getattr(cls, "metrics", ())
    return {
        "identity": ref.identity,
        "version": ref.version,
        "state": state,
        "reason": reason,
        "help": (cls.__doc__ or "").strip(),
        "hooks": implemented(cls),
        "metrics": [spec.name for spec in metrics] if isinstance(metrics, Sequence) else [],
        "settings": settings_schema(cls),
    }
