"""What to do about a defect of a plugin: whoever works on its code mends it, all others do without."""

from __future__ import annotations

import inspect
import json
import os
import traceback
from typing import Any

from mlm.discovery import PluginRef


def remedy(ref: PluginRef, cls: type[Any], hook: str, mend: str = "") -> str:
    """Return the end of an error's line: what mends the defect, and where, or what to install instead."""
    if worked_on(ref.distribution):
        return f"{f': {mend}' if mend else ''}  [{line_of(cls, hook)}]"
    return f"; a defect of {ref.distribution}: upgrade it, or use another"


def worked_on(distribution: str) -> bool:
    """Say whether a distribution is installed from where somebody writes it (an editable install, PEP 610)."""
    from importlib.metadata import PackageNotFoundError
    from importlib.metadata import distribution as found

    try:
        told = json.loads(found(distribution).read_text("direct_url.json") or "{}")
    except (PackageNotFoundError, ValueError):
        return False
    return bool(told.get("dir_info", {}).get("editable"))


def line_of(cls: type[Any], hook: str) -> str:
    """Return file and line where a hook of a class begins; where the class does, if it has no such hook."""
    return f"{inspect.getsourcefile(cls)}:{inspect.getsourcelines(getattr(cls, hook, cls))[1]}"


def line_of_import(error: BaseException, importer: str) -> str:
    """Return file and line of the import that failed, or of what raised in it; nothing where no line is to blame.

    Args:
        importer: File of mlm's own that asked for the module.
    """
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}:{error.lineno}"
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if os.path.isfile(frame.filename)]
    raised = frames[-1] if frames else None
    return f"{raised.filename}:{raised.lineno}" if raised and raised.filename != importer else ""
