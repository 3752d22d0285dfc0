"""What leaves the plugin interface: it works for one minor release more, and whoever uses it is told what replaces it.

It is declared where the hook is specified, by pluggy's own options: a hook by
`@hookspec(firstresult=True, warn_on_impl=Deprecated("implement `mlm_read`", gone_in="0.3"))`, an argument by
`warn_on_impl_args={"model": Deprecated("take `data`", gone_in="0.3")}`.
"""

from __future__ import annotations

import inspect
from typing import Any

from mlm.discovery import PluginRef


class Deprecated(DeprecationWarning):
    """What to write instead, and the release that is without the old.

    The tests of a plugin hear it as a warning of Python, with file and line.
    """

    def __init__(self, instead: str, *, gone_in: str) -> None:
        super().__init__(f"deprecated, and gone with mlm {gone_in}; {instead} instead")


def deprecations(ref: PluginRef, cls: type[Any]) -> list[str]:
    """Say what a plugin uses that is deprecated, a line each: which plugin, what, and what replaces it."""
    from mlm import hookspecs
    from mlm.plugins import implemented

    found = []
    for hook in implemented(cls):
        options = getattr(hookspecs, hook).mlm_spec
        if options["warn_on_impl"]:
            found.append(f"{ref.identity} {ref.version} implements `{hook}`: {options['warn_on_impl']}")
        taken = inspect.signature(getattr(cls, hook)).parameters
        found += [
            f"{ref.identity} {ref.version} takes `{name}` in `{hook}`: {warning}"
            for name, warning in (options["warn_on_impl_args"] or {}).items()
            if name in taken
        ]
    return found
