"""What trainers start from: a seeded process, rows, a model and its tokenizer."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import evolve

import mlm
from mlm_plugins.detectors.turns import PREFERRED

if TYPE_CHECKING:
    import datasets

ROW = ("row_id", "source")
"""Columns that say which row it is."""
SPOKEN = (*ROW, "messages", "tools", "prompt", "completion")
"""Columns that make up a conversation, and what names its row."""


def prepare(context: mlm.Context) -> None:
    """Seed every generator, bound the threads and silence what would write to the terminal."""
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    os.environ.setdefault("TQDM_DISABLE", "1")
    # TRL asks transformers by an old name; nothing that a user of mlm could mend.
    warnings.filterwarnings("ignore", "`is_gradient_checkpointing` is deprecated", FutureWarning)
    import datasets
    import torch
    import transformers

    datasets.disable_progress_bars()
    transformers.utils.logging.disable_progress_bar()
    transformers.utils.logging.set_verbosity_error()
    torch.set_num_threads(context.threads)
    transformers.set_seed(context.seed)


def load_rows(data: mlm.Dataset, columns: list[str], context: mlm.Context) -> datasets.Dataset:
    """Open a dataset's Parquet files as one memory-mapped table; DataError where a column is missing."""
    for one in parts_of(data):
        _check(one, columns)
    return _opened(data.files, columns, context)


def parts_of(data: mlm.Dataset) -> list[mlm.Dataset]:
    """Return the datasets of a list, each by itself: those that have rows, where any has."""
    return [one for one in (evolve(data, more=()), *data.more) if one.num_rows] or [data]


def name_of(data: mlm.Dataset) -> str:
    """Return what errors call a dataset."""
    return data.ref or data.path.name


def sequences_of(
    data: mlm.Dataset, made: Callable[[mlm.Dataset], list[datasets.Dataset]], max_length: int
) -> datasets.Dataset:
    """Return what is made of each dataset of a list as one table; DataError where no answer is short enough."""
    import datasets

    parts = parts_of(data)
    rows = datasets.concatenate_datasets([table for one in parts for table in made(one)])
    if not len(rows):
        names = ", ".join(map(name_of, parts))
        raise mlm.DataError(f"no answer in {names} begins within max_length ({max_length} tokens); raise it")
    return rows


def load_conversations(data: mlm.Dataset, context: mlm.Context) -> list[datasets.Dataset]:
    """Open what there is of SPOKEN in a dataset: one memory-mapped table for each run of files with the same columns.

    Raises:
        DataError: There are no rows, or a file has neither `messages` nor both `prompt` and `completion`.
    """
    for file in _files(data):
        found = _columns(file)
        if "messages" not in found and not {"prompt", "completion"} <= set(found):
            wanted = "neither a column 'messages' nor both 'prompt' and 'completion'"
            raise mlm.DataError(f"{_name(data, file)} has {wanted} (columns: {', '.join(found)})")
    return _tables(data, SPOKEN, context)


def load_preferences(data: mlm.Dataset, context: mlm.Context) -> list[datasets.Dataset]:
    """Open ROW, PREFERRED and what there is of `tools` in a dataset, in tables as those of `load_conversations`.

    Raises:
        DataError: There are no rows, or a file lacks one of PREFERRED.
    """
    _check(data, PREFERRED)
    return _tables(data, (*ROW, "tools", *PREFERRED), context)


def _check(data: mlm.Dataset, columns: Sequence[str]) -> None:
    for file in _files(data):
        missing = sorted(set(columns) - set(_columns(file)))
        if missing:
            raise mlm.DataError(f"{_name(data, file)} has no column {missing}; this trainer reads {[*columns]}")


def _tables(data: mlm.Dataset, names: Sequence[str], context: mlm.Context) -> list[datasets.Dataset]:
    runs = groupby(data.files, lambda file: {name: kind for name, kind in _columns(file).items() if name in names})
    return [_opened(list(files), [*columns], context) for columns, files in runs]


def _files(data: mlm.Dataset) -> list[Path]:
    """Return the Parquet files of a dataset that has rows."""
    if data.num_rows == 0:
        raise mlm.DataError(f"{name_of(data)} has no rows to train on")
    return data.files


def _columns(file: Path) -> dict[str, str]:
    """Return the type of each column, as text."""
    import pyarrow.parquet as pq

    return {column.name: str(column.type) for column in pq.read_schema(file)}


def _name(data: mlm.Dataset, file: Path) -> str:
    split = file.name.rsplit("-", 3)[0]
    return f"{name_of(data)} ({split})"


def _opened(files: list[Path], columns: list[str], context: mlm.Context) -> datasets.Dataset:
    import datasets

    names, cache = [str(file) for file in files], str(context.work / "cache")
    return datasets.load_dataset("parquet", data_files=names, columns=columns, split="train", cache_dir=cache)


def load_model(model: mlm.Model) -> tuple[Any, Any]:
    """Load a model in float32 and its tokenizer."""
    import torch
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(model.path, dtype=torch.float32), load_tokenizer(model)


def load_tokenizer(model: mlm.Model) -> Any:
    """Load a tokenizer; one without a padding token pads with its end of sequence."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(model.path)
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer
