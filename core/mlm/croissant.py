"""A dataset as Croissant metadata (MLCommons Croissant 1.1 with RAI 1.0), from the registry and `[problem]`."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlm.artifacts import Dataset
from mlm.rows import dataset_of
from mlm.workspace import Workspace
from mlm_registry import Node, Registry

if TYPE_CHECKING:
    import pyarrow as pa

CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "containedIn": "cr:containedIn",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "prov": "http://www.w3.org/ns/prov#",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}


def croissant(workspace: Workspace, ref: str) -> dict[str, Any]:
    """Describe a dataset; the addresses of its files are relative to its folder."""
    registry, problem = workspace.registry, workspace.project.problem
    node, data = dataset_of(registry, ref)
    made = datetime.fromtimestamp(node.created, UTC)
    return {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": ["http://mlcommons.org/croissant/1.1", "http://mlcommons.org/croissant/RAI/1.0"],
        "name": f"{problem.name}-{node.name}",
        "description": f"Data of {problem.name}: {problem.purpose}",
        "license": problem.license.lower() or "unknown",
        "url": f"mlm://{problem.name}/{node.ref}",
        "creator": {"@type": "sc:Organization", "name": problem.owner or problem.name},
        "datePublished": made.date().isoformat(),
        "version": f"{node.version}.0.0",
        "inLanguage": list(problem.languages),
        "keywords": ["mlm", problem.name, problem.task],
        "prov:wasDerivedFrom": [{"@id": f"mlm://{problem.name}/{one.ref}"} for one in _parents(registry, node)],
        "rai:dataCollection": _collection(registry, node),
        "rai:dataPreprocessingProtocol": _protocol(node),
        "distribution": list(_files(data)),
        "recordSet": [_splits(data), _records(data)],
    }


def _parents(registry: Registry, node: Node) -> list[Node]:
    return [source for _, source, _ in registry.inputs(node)]


def _collection(registry: Registry, node: Node) -> str:
    if not node.execution:
        return "recorded by hand"
    execution = registry.execution(node.execution)
    return f"read by {execution.plugin} {execution.distribution_version}"


def _protocol(node: Node) -> list[str]:
    """Say what each transform did to the rows, in order."""
    return [
        f"{link['step']}: {link['rows_in']} rows in, {link['rows_out']} out, {link['changed']} changed"
        + "".join(f", {count} removed ({reason})" for reason, count in link["removed"].items())
        for link in node.metadata.get("chain", ())
    ]


def _files(data: Dataset) -> Iterable[dict[str, Any]]:
    for file in data.files:
        yield {
            "@type": "cr:FileObject",
            "@id": file.name,
            "name": file.name,
            "contentUrl": f"data/{file.name}",
            "encodingFormat": "application/x-parquet",
            "contentSize": f"{file.stat().st_size} B",
            "sha256": _sha256(file),
        }
    yield {
        "@type": "cr:FileSet",
        "@id": "parquet-files",
        "name": "parquet-files",
        "encodingFormat": "application/x-parquet",
        "includes": "data/*.parquet",
    }


def _sha256(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _splits(data: Dataset) -> dict[str, Any]:
    return {
        "@type": "cr:RecordSet",
        "@id": "splits",
        "name": "splits",
        "dataType": "cr:Split",
        "key": {"@id": "splits/name"},
        "field": [{"@type": "cr:Field", "@id": "splits/name", "name": "splits/name", "dataType": "sc:Text"}],
        "data": [{"splits/name": split} for split in data.splits],
    }


def _records(data: Dataset) -> dict[str, Any]:
    import pyarrow.parquet as pq

    schema = pq.read_schema(data.files[0])
    return {
        "@type": "cr:RecordSet",
        "@id": "rows",
        "name": "rows",
        "key": {"@id": "rows/row_id"},
        "field": [_split_field(), *(_field(column, "rows", column.name, "") for column in schema)],
    }


def _split_field() -> dict[str, Any]:
    return {
        "@type": "cr:Field",
        "@id": "rows/in_split",
        "name": "rows/in_split",
        "description": "The split, from the name of the file.",
        "dataType": "sc:Text",
        "references": {"field": {"@id": "splits/name"}},
        "source": {
            "fileSet": {"@id": "parquet-files"},
            "extract": {"fileProperty": "filename"},
            "transform": {"regex": "^(.+)-\\d+-of-\\d+\\.parquet$"},
        },
    }


def _field(column: pa.Field, place: str, top: str, path: str) -> dict[str, Any]:
    """Describe a column; one of records has a field for each of their parts.

    Lists of records within a list, such as tool calls of messages, are left out: mlcroissant reads none that is null.
    """
    import pyarrow as pa

    name, kind = f"{place}/{column.name}", column.type
    repeated = pa.types.is_list(kind) or pa.types.is_large_list(kind)
    kind = kind.value_type if repeated else kind
    source: dict[str, Any] = {"fileSet": {"@id": "parquet-files"}, "extract": {"column": top}}
    if path:
        source["transform"] = {"jsonPath": path}
    found: dict[str, Any] = {"@type": "cr:Field", "@id": name, "name": name}
    if repeated:
        found["repeated"] = True
    if pa.types.is_struct(kind):
        within = f"{path}[*]" if repeated else path
        parts = [part for part in kind if not (repeated and _lists_records(part.type))]
        found["subField"] = [_field(part, name, top, f"{within}.{part.name}".lstrip(".")) for part in parts]
        return found
    return {**found, "dataType": _data_type(kind), "source": source}


def _lists_records(kind: pa.DataType) -> bool:
    import pyarrow as pa

    return bool((pa.types.is_list(kind) or pa.types.is_large_list(kind)) and pa.types.is_struct(kind.value_type))


def _data_type(kind: pa.DataType) -> str:
    import pyarrow as pa

    if pa.types.is_integer(kind):
        return "sc:Integer"
    if pa.types.is_floating(kind):
        return "sc:Float"
    if pa.types.is_boolean(kind):
        return "sc:Boolean"
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return "sc:DateTime"
    return "sc:Text"
