"""The Hub's words for tasks, libraries and sizes."""

from __future__ import annotations

_PIPELINES = {"summarization": "summarization", "vision": "image-text-to-text"}
_LIBRARIES = {"onnxruntime": "onnx"}
_SIZES = (
    (1e3, "n<1K"), (1e4, "1K<n<10K"), (1e5, "10K<n<100K"), (1e6, "100K<n<1M"), (1e7, "1M<n<10M"),
    (1e8, "10M<n<100M"), (1e9, "100M<n<1B"), (1e10, "1B<n<10B"), (1e11, "10B<n<100B"), (1e12, "100B<n<1T"),
)  # fmt: skip


def pipeline_tag(task: str) -> str:
    """Return the Hub's tag of a problem's task."""
    return _PIPELINES.get(task, "text-generation")


def library_name(library: str) -> str:
    """Return the Hub's name of the library that loads a model."""
    return _LIBRARIES.get(library, library)


def size_category(rows: int) -> str:
    """Return the Hub's size category of a number of rows."""
    return next((name for bound, name in _SIZES if rows < bound), "n>1T")
