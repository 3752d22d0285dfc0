"""Serve an exported model with onnxruntime."""

from __future__ import annotations

from attrs import define
from attrs.validators import ge

import mlm
from mlm_plugins.servers.engine import BatchingEngine
from mlm_plugins.servers.limits import Limits
from mlm_plugins.servers.onnx_session import OnnxSession
from mlm_plugins.servers.tokenizer import FileTokenizer


@define(kw_only=True)
class OnnxRuntime:
    """Serve an ONNX model with continuous batching on onnxruntime."""

    slots: int = mlm.setting(32, validator=ge(1), help="requests computed together", fingerprint=False)
    queue: int = mlm.setting(256, validator=ge(0), help="requests that may wait beyond those", fingerprint=False)
    threads: int = mlm.setting(1, validator=ge(1), help="threads of one operator", fingerprint=False)
    providers: list[str] = mlm.setting(
        factory=lambda: ["CPUExecutionProvider"], help="onnxruntime execution providers, the first must be used"
    )
    max_prefills_per_step: int = mlm.setting(
        2, validator=ge(1), help="prompts computed between two steps of the running batch", fingerprint=False
    )

    @mlm.hookimpl
    def mlm_load(self, model: mlm.Model) -> mlm.Engine:
        """Load the graph and start the engine's thread."""
        session = OnnxSession(model.path, self.providers, self.threads)
        return BatchingEngine(
            session,
            FileTokenizer(model.path),
            Limits.read(model.path),
            slots=self.slots,
            queue=self.queue,
            max_prefills=self.max_prefills_per_step,
        )
