"""What trainers start from: a seeded process, rows, a model and its tokenizer."""

from __future__ import annotations

import os
import warnings
from typing import TYPE_CHECKING, Any

import mlm

if TYPE_CHECKING:
    import datasets


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
    import datasets
    import pyarrow.parquet as pq

    name = data.ref or data.path.name
    for file in data.files:
        missing = sorted(set(columns) - set(pq.read_schema(file).names))
        if missing:
            split = file.name.rsplit("-", 3)[0]
            raise mlm.DataError(f"{name} ({split}) has no column {missing}; this trainer reads {columns}")
    if data.num_rows == 0:
        raise mlm.DataError(f"{name} has no rows to train on")
    files = [str(file) for file in data.files]
    cache = str(context.work / "cache")
    return datasets.load_dataset("parquet", data_files=files, columns=columns, split="train", cache_dir=cache)


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
