"""The registry's executions as OpenLineage events, for catalogues that speak it (OpenLineage 2-0-2)."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

from mlm_registry import Execution, Node, Registry

_SPEC = "https://openlineage.io/spec/2-0-2/OpenLineage.json"
_FACETS = "https://openlineage.io/spec/facets"
_ENDS = {"ran": "COMPLETE", "failed": "FAIL", "interrupted": "ABORT", "waiting": "ABORT"}


def events(registry: Registry, project: str) -> Iterator[dict[str, Any]]:
    """Yield the START and the end of every execution, oldest first.

    Nodes are datasets by the name of their step, with the version and digest in the version facet; ids are the same at
    each export.

    Args:
        project: Name of the project; jobs and datasets are in the namespace `mlm://<project>`.
    """
    outputs: dict[int, list[Node]] = {}
    for node in registry.nodes():
        outputs.setdefault(node.execution, []).append(node)
    for execution in reversed(registry.executions()):
        made = outputs.get(execution.id, [])
        inputs = {source.id: source for node in made for _, source, _ in registry.inputs(node)}
        told = _Execution(execution, list(inputs.values()), made, f"mlm://{project}")
        yield told.event("START", execution.started)
        if execution.status in _ENDS:
            yield told.event(_ENDS[execution.status], execution.started + execution.seconds)


class _Execution:
    """One execution with what went in and came out."""

    def __init__(self, execution: Execution, inputs: list[Node], outputs: list[Node], namespace: str) -> None:
        self._execution, self._inputs, self._outputs, self._namespace = execution, inputs, outputs, namespace
        self._producer = f"urn:mlm:{version('mlm')}"

    def event(self, kind: str, at: float) -> dict[str, Any]:
        ended = kind != "START"
        return {
            "eventType": kind,
            "eventTime": datetime.fromtimestamp(at, UTC).isoformat(),
            "producer": self._producer,
            "schemaURL": f"{_SPEC}#/$defs/RunEvent",
            "run": {"runId": self._run_id(), "facets": self._errors() if ended else {}},
            "job": {"namespace": self._namespace, "name": self._execution.step, "facets": self._job()},
            "inputs": [self._dataset(node) for node in self._inputs],
            "outputs": [self._output(node) for node in self._outputs] if ended else [],
        }

    def _run_id(self) -> str:
        name = f"{self._namespace}/{self._execution.run}/{self._execution.id}"
        return str(uuid.uuid5(uuid.NAMESPACE_URL, name))

    def _errors(self) -> dict[str, Any]:
        if not self._execution.error:
            return {}
        error = {"message": self._execution.error, "programmingLanguage": "Python"}
        return {"errorMessage": self._facet("1-0-1/ErrorMessageRunFacet", error)}

    def _job(self) -> dict[str, Any]:
        told = {"processingType": "BATCH", "integration": "MLM", "jobType": self._execution.stage.upper()}
        return {"jobType": self._facet("2-0-4/JobTypeJobFacet", told)}

    def _dataset(self, node: Node) -> dict[str, Any]:
        facet = self._facet(
            "1-0-1/DatasetVersionDatasetFacet", {"datasetVersion": str(node.version), "digest": f"blake3:{node.digest}"}
        )
        return {"namespace": self._namespace, "name": node.name, "facets": {"version": facet}}

    def _output(self, node: Node) -> dict[str, Any]:
        counts: dict[str, Any] = {"size": node.size_bytes}
        if rows := node.metadata.get("rows"):
            counts["rowCount"] = sum(rows.values())
        facet = self._facet("1-0-2/OutputStatisticsOutputDatasetFacet", counts)
        return {**self._dataset(node), "outputFacets": {"outputStatistics": facet}}

    def _facet(self, name: str, content: dict[str, Any]) -> dict[str, Any]:
        number, _, kind = name.partition("/")
        schema = f"{_FACETS}/{number}/{kind}.json#/$defs/{kind}"
        return {"_producer": self._producer, "_schemaURL": schema, **content}
