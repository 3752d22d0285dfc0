"""May the model be used as its licences say?"""

from __future__ import annotations

from attrs import define

import mlm
from mlm_registry import ModelVersion

ALLOWED = ("Apache-2.0", "MIT", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "CC-BY-4.0")
OWN = "the project's own"


@define(kw_only=True)
class LicenseAllowed:
    """Refuses a model that descends from a licence outside the allowed list (SPDX ids)."""

    allowed: list[str] = mlm.setting(factory=lambda: list(ALLOWED), help="SPDX ids that may be used")

    @mlm.hookimpl
    def mlm_check(self, candidate: mlm.Candidate, context: mlm.Context) -> mlm.Verdict:
        found = {one.node.ref: _license(one) for one in (candidate.version, *candidate.ancestors)}
        allowed = {name.casefold() for name in (*self.allowed, OWN)}
        refused = {ref: name for ref, name in found.items() if name.casefold() not in allowed}
        if not refused:
            return mlm.Verdict("pass", "license-allowed", _listed(found), evidence=found)
        reason = f"{_listed(refused)}; allowed: {', '.join(sorted(self.allowed))}"
        return mlm.Verdict("fail", "license-refused", reason, evidence=found)


def _license(version: ModelVersion) -> str:
    """Return the licence of a version.

    What was imported states one, if only an empty one: nothing allows its use then. What was made here states none;
    it is the project's own, and its ancestors answer for themselves.
    """
    stated = version.node.metadata.get("license")
    return OWN if stated is None else str(stated) or "without a licence"


def _listed(licenses: dict[str, str]) -> str:
    return ", ".join(f"{ref} is {name}" for ref, name in sorted(licenses.items()))
