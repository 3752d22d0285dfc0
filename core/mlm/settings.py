"""Settings and inputs of a plugin: attrs fields that carry their own documentation.

A plugin class declares everything once; the checks on `mlm.toml`, `mlm plugins show` and the fingerprint of a step
are all read from the class.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import attrs

_KEY = "mlm"


def setting(
    default: Any = attrs.NOTHING,
    *,
    factory: Callable[[], Any] | None = None,
    validator: Any = None,
    help: str = "",
    unit: str = "",
    fingerprint: bool = True,
) -> Any:
    """Declare a setting of a plugin.

    Args:
        default: Value where the project file is silent; without one the setting is required.
        factory: Makes the default where it is mutable.
        validator: An attrs validator, or a list of them.
        help: What it does, one line.
        unit: Unit of a number, such as `seconds`.
        fingerprint: False for what cannot change the result, such as a number of workers.
    """
    metadata = {_KEY: {"role": "setting", "help": help, "unit": unit, "fingerprint": fingerprint}}
    if factory is not None:
        return attrs.field(factory=factory, validator=validator, metadata=metadata)
    return attrs.field(default=default, validator=validator, metadata=metadata)


def input(default: Any = attrs.NOTHING, *, help: str = "", judging: bool = False) -> Any:
    """Declare a further artifact input: in `mlm.toml` its value is the name of another step.

    Args:
        default: Value where the project file is silent; without one the input is required.
        help: What it is for, one line.
        judging: A list of datasets that is compared with, not learned from. Where the project file is silent, it is
            every dataset by which an evaluation judges a model that learns from this step.
    """
    metadata = {_KEY: {"role": "input", "help": help, "fingerprint": True, "judging": judging}}
    return attrs.field(default=default, metadata=metadata)


def role(attribute: attrs.Attribute[Any]) -> str:
    """Return `setting` or `input`."""
    return str(attribute.metadata.get(_KEY, {}).get("role", "setting"))


def described(attribute: attrs.Attribute[Any]) -> dict[str, Any]:
    """Return help, unit and fingerprint of a field."""
    return {"help": "", "unit": "", "fingerprint": True} | dict(attribute.metadata.get(_KEY, {}))


@attrs.frozen
class Secret:
    """A value that lives in the environment: `{ env = "NAME" }`; never stored, keyed or logged."""

    env: str

    def reveal(self) -> str:
        """Return the secret, or raise KeyError that names the variable."""
        return os.environ[self.env]
