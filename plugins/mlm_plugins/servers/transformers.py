"""Serve a Hugging Face folder with transformers."""

from __future__ import annotations

from attrs import define
from attrs.validators import ge

import mlm
from mlm_plugins.servers.engine import BatchingEngine
from mlm_plugins.servers.limits import Limits
from mlm_plugins.servers.tokenizer import FileTokenizer
from mlm_plugins.servers.torch_session import TorchSession


@define(kw_only=True)
class Transformers:
    """Serve a causal language model with transformers, for evaluation."""

    slots: int = mlm.setting(64, validator=ge(1), help="requests computed together", fingerprint=False)
    queue: int = mlm.setting(256, validator=ge(0), help="requests that may wait beyond those", fingerprint=False)
    device: str = mlm.setting("cpu", help="torch device, such as cpu or cuda")

    @mlm.hookimpl
    def mlm_load(self, model: mlm.Model, context: mlm.Context) -> mlm.Engine:
        """Load the weights and start the engine's thread."""
        session = TorchSession(model.path, self.device, context.threads)
        # A forward pass costs the same for one short prompt as for many, so all that fit join at once.
        return BatchingEngine(
            session,
            FileTokenizer(model.path),
            Limits.read(model.path),
            slots=self.slots,
            queue=self.queue,
            max_prefills=self.slots,
        )
