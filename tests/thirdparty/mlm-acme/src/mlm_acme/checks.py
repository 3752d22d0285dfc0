"""A check on size."""

from attrs import define

import mlm


@define(kw_only=True)
class Small:
    """Refuses models that are too large to send by mail."""

    megabytes: float = mlm.setting(10.0, help="largest model", unit="MB")

    @mlm.hookimpl
    def mlm_check(self, candidate: mlm.Candidate) -> mlm.Verdict:
        size = candidate.version.node.size_bytes / 1e6
        if size <= self.megabytes:
            return mlm.Verdict("pass", "small-enough", f"{size:.3f} MB")
        return mlm.Verdict("fail", "too-large", f"{size:.3f} MB; allowed: {self.megabytes:g}")
