"""A registry in a temporary folder, and the shortest ways to fill it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mlm_registry import Execution, Node, NodeKind, Registry

Make = Callable[..., Node]


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    with Registry.open(tmp_path / ".mlm") as opened:
        yield opened


@pytest.fixture
def make(registry: Registry) -> Make:
    """Record one execution with one output, and return the node."""

    def make(
        name: str = "chat",
        kind: NodeKind = "model",
        inputs: tuple[Node, ...] = (),
        content: bytes = b"bytes",
        fingerprint: str = "",
        run: str = "run-1",
    ) -> Node:
        started = registry.start(Execution(step=name, stage="step", run=run, plugin="test", fingerprint=fingerprint))
        digest = registry.objects.put_bytes(content)
        outputs = [Node(name, kind, digest, size_bytes=len(content))]
        return registry.finish(started, outputs=outputs, inputs=[("data", node.id, "") for node in inputs])[0]

    return make
