"""What a data step kept, removed and changed in a try that has not ended: it lies in the work folder until it does."""

from __future__ import annotations

from mlm.artifacts import Dataset
from mlm.errors import MlmError
from mlm.fingerprints import work_name
from mlm.stages import left_by_stages
from mlm_registry import Registry


def unfinished(registry: Registry, step: str) -> list[Dataset]:
    """Return what the newest try of a data step left, a dataset a stage; MlmError where it left nothing."""
    newest = next(iter(registry.executions(step=step, limit=1)), None)
    work = registry.folder / "work" / work_name(newest.fingerprint) / "work" if newest else None
    found = left_by_stages(work) if work else []
    if not found:
        told = f"its last try is '{newest.status}'" if newest else "it was never tried"
        raise MlmError(f"step '{step}' left no rows unfinished: {told}")
    return found


def has_removed(registry: Registry, step: str) -> bool:
    """Say whether the newest try of a step, which has not ended, removed rows before."""
    try:
        return any(True for stage in unfinished(registry, step) for _ in stage.removed())
    except MlmError:
        return False
