"""Every gradient trainer, run for a few steps on a tiny model."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from math import log
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

import mlm
from mlm_plugins.servers.transformers import Transformers
from mlm_plugins.sources.instructions import Instructions
from mlm_plugins.trainers import sft
from mlm_plugins.trainers.bpe import ByteLevelBPE
from mlm_plugins.trainers.dpo import DPO
from mlm_plugins.trainers.pretrain import Pretrain
from mlm_plugins.trainers.running import newest_checkpoint
from mlm_plugins.trainers.sft import SFT

pytestmark = pytest.mark.heavy

TINY: dict[str, Any] = {"hidden_size": 64, "intermediate_size": 96, "layers": 1}
SHORT: dict[str, Any] = {"batch_size": 8, "max_length": 64, "warmup_steps": 2}

TEXTS = [{"text": f"The capital of {a} is {b}."} for a, b in [("Velmara", "Dorrit"), ("Orduin", "Ivelle")]] * 12
CHATS = [
    {"prompt": f"What is the capital of {a}?", "completion": f"The capital of {a} is {b}."}
    for a, b in [("Velmara", "Dorrit"), ("Orduin", "Ivelle")]
] * 12


def said(text: str, who: str) -> list[dict[str, str]]:
    return [{"role": who, "content": text}]


THANKS = [*said("Thank you.", "user"), *said("You are welcome.", "assistant")]
PAIRS = [{"prompt": row["prompt"], "chosen": row["completion"], "rejected": "I will not say."} for row in CHATS]
TALKS = [[*said(row["prompt"], "user"), *said(row["completion"], "assistant"), *THANKS] for row in CHATS]


@pytest.fixture
def tokenizer(workshop: Any) -> mlm.Model:
    data = workshop.data("words", TEXTS + CHATS)
    return ByteLevelBPE(vocab_size=300).mlm_train(data=data, context=workshop.context("tok"))


@pytest.fixture
def base(workshop: Any, tokenizer: mlm.Model) -> mlm.Model:
    return pretrained(workshop, tokenizer, "base")


def pretrained(
    workshop: Any, tokenizer: mlm.Model, name: str, *, steps: int = 10, seed: int = 0, **more: Any
) -> mlm.Model:
    trainer = Pretrain(tokenizer=tokenizer, steps=steps, **TINY, **SHORT, **more)
    data = workshop.data(f"{name}.rows", TEXTS)
    return trainer.mlm_train(data=data, model=None, context=workshop.context(name, seed))


def test_a_new_model_learns_and_is_stored_as_safetensors(workshop: Any, tokenizer: mlm.Model) -> None:
    model = pretrained(workshop, tokenizer, "base", steps=20)

    names = {path.name for path in model.path.iterdir()}
    assert names >= {"config.json", "model.safetensors", "tokenizer.json", "chat_template.jinja"}
    assert not [name for name in names if name.endswith((".bin", ".pt", ".pth", ".pkl"))]
    losses = [values["loss"] for _, values in workshop.points]
    assert losses[0] == pytest.approx(log(300), rel=0.05)  # a fresh model knows nothing: the loss is that of a guess
    assert losses[-1] < losses[0] - 1
    assert workshop.ticks[-1] == (20, 20)


def test_metadata_counts_parameters_tokens_and_work(workshop: Any, base: mlm.Model) -> None:
    from safetensors import safe_open

    with safe_open(base.path / "model.safetensors", "pt") as weights:
        expected = sum(weights.get_tensor(name).numel() for name in weights.keys())  # noqa: SIM118, no mapping

    facts = base.metadata
    assert facts["parameters"] == expected
    assert facts["steps"] == 10
    assert facts["training_flops"] == 6 * facts["parameters"] * facts["tokens"]


def test_the_same_seed_gives_the_same_bytes_and_another_seed_does_not(workshop: Any, tokenizer: mlm.Model) -> None:
    digests = [
        workshop.digest(pretrained(workshop, tokenizer, name, steps=5, seed=seed).path)
        for name, seed in (("one", 0), ("two", 0), ("three", 1))
    ]

    assert digests[0] == digests[1]
    assert digests[0]["model.safetensors"] != digests[2]["model.safetensors"]


def test_a_base_model_is_trained_further_with_its_own_tokenizer(workshop: Any, base: mlm.Model) -> None:
    workshop.points.clear()
    data = workshop.data("more", TEXTS)

    more = Pretrain(steps=5, learning_rate=1e-4, **SHORT).mlm_train(
        data=data, model=base, context=workshop.context("again")
    )

    assert workshop.points[0][1]["loss"] < log(300) - 0.5
    assert (more.path / "tokenizer.json").read_bytes() == (base.path / "tokenizer.json").read_bytes()


def test_pretraining_needs_a_model_or_a_tokenizer(workshop: Any) -> None:
    data = workshop.data("rows", TEXTS)

    with pytest.raises(mlm.ProjectError, match=r"needs a model to go on with, or a tokenizer.*\[base\]"):
        Pretrain().mlm_train(data=data, model=None, context=workshop.context("base"))


@pytest.mark.parametrize("sizes", [{"hidden_size": 100, "heads": 3}, {"heads": 4, "kv_heads": 3}])
def test_sizes_that_do_not_divide_are_refused_before_anything_runs(sizes: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="hidden_size must be a multiple of heads, and heads of kv_heads"):
        Pretrain(**sizes)


def test_long_texts_are_cut_into_windows_and_nothing_is_lost(workshop: Any, tokenizer: mlm.Model) -> None:
    from mlm_plugins.trainers.loading import load_tokenizer

    loaded = load_tokenizer(tokenizer)
    text = "The capital of Velmara is Dorrit. " * 20

    rows = Pretrain(max_length=32)._windows(loaded)({"text": [text, "short"]})["input_ids"]

    assert max(map(len, rows)) == 32
    joined = [token for row in rows[:-1] for token in row]
    assert joined == [*loaded(" " + text.strip())["input_ids"], loaded.eos_token_id]


def test_fine_tuning_learns_the_completions_and_not_the_prompts(workshop: Any, base: mlm.Model) -> None:
    workshop.points.clear()
    data = workshop.data("chats", CHATS)

    SFT(steps=30, **SHORT).mlm_train(data=data, model=base, context=workshop.context("sft"))

    losses = [values["loss"] for _, values in workshop.points]
    assert losses[-1] < losses[0] / 2


def test_conversations_teach_each_answer_in_its_place_and_the_model_is_served_as_before(
    workshop: Any, base: mlm.Model, make_context: Any
) -> None:
    speakers = {"user": "human", "assistant": "gpt"}
    records = [{"conversations": [{"from": speakers[m["role"]], "value": m["content"]} for m in t]} for t in TALKS]
    file = workshop.folder / "chats.jsonl"
    file.write_text("".join(f"{json.dumps({**record, 'id': n})}\n" for n, record in enumerate(records)))
    data = Instructions(path=file).mlm_read(workshop.context("chats"))
    workshop.points.clear()

    made = SFT(steps=60, **{**SHORT, "max_length": 128}).mlm_train(
        data=data, model=base, context=workshop.context("sft")
    )

    losses = [values["loss"] for _, values in workshop.points]
    assert losses[-1] < losses[0] / 5
    assert (made.path / "chat_template.jinja").read_bytes() == (base.path / "chat_template.jinja").read_bytes()
    engine = Transformers().mlm_load(made, make_context("served"))
    asked = [engine.tokenizer.chat(TALKS[0][:1]), engine.tokenizer.chat(TALKS[0][:3])]
    first, second = (reply.text.strip() for reply in engine.generate(asked, mlm.Sampling(max_tokens=40)))
    engine.close()
    assert first.startswith("The capital of")
    assert second == "You are welcome."


def test_pairs_and_conversations_are_learned_together(workshop: Any, base: mlm.Model) -> None:
    pairs, talks = workshop.data("pairs", CHATS), workshop.data("talks", [{"messages": t} for t in TALKS])
    workshop.points.clear()

    SFT(steps=30, **SHORT).mlm_train(data=evolve(pairs, more=(talks,)), model=base, context=workshop.context("both"))

    losses = [values["loss"] for _, values in workshop.points]
    assert losses[-1] < losses[0] / 2


def test_the_error_on_a_row_names_the_dataset_of_a_list_that_holds_it(workshop: Any, base: mlm.Model) -> None:
    pairs, talks = workshop.data("pairs", CHATS), workshop.data("talks", [{"messages": said("Hi.", "user")}])

    with pytest.raises(mlm.DataError, match=r"row 0 of talks \(test\) has no answer to learn"):
        SFT(steps=1, **SHORT).mlm_train(data=evolve(pairs, more=(talks,)), model=base, context=workshop.context("both"))


@pytest.mark.parametrize(("trainer", "rows"), [(SFT, CHATS), (DPO, PAIRS)])
def test_what_the_length_cut_is_kept_with_the_model(
    workshop: Any, base: mlm.Model, trainer: type, rows: list[dict[str, str]]
) -> None:
    """Every other prompt is so long that no answer begins in time, and no other row fits as a whole."""
    data = workshop.data("rows", [{**row, "prompt": row["prompt"] * (1 + 9 * (n % 2))} for n, row in enumerate(rows)])

    made = trainer(steps=1, **{**SHORT, "max_length": 24}).mlm_train(
        data=data, model=base, context=workshop.context("x")
    )

    counts = {name: value for name, value in made.metadata.items() if name.startswith("sequences")}
    assert counts == {"sequences": 12, "sequences_cut": 12, "sequences_left_out": 12}
    assert made.metadata["note"] == "12 of 24 sequences are left out: no answer begins within max_length"


def test_where_no_answer_is_short_enough_the_setting_is_named(workshop: Any, base: mlm.Model) -> None:
    with pytest.raises(mlm.DataError, match=r"no answer in chats begins within max_length \(4 tokens\); raise it"):
        SFT(**{**SHORT, "max_length": 4}).mlm_train(
            data=workshop.data("chats", CHATS), model=base, context=workshop.context("x")
        )


def test_large_and_small_vocabularies_have_the_same_loss(
    workshop: Any, base: mlm.Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch
    from safetensors.torch import load_file

    data = workshop.data("chats", CHATS)
    whole = SFT(steps=5, **SHORT).mlm_train(data=data, model=base, context=workshop.context("whole"))
    monkeypatch.setattr(sft, "_SMALL_BYTES", 0)
    chunked = SFT(steps=5, **SHORT).mlm_train(data=data, model=base, context=workshop.context("chunked"))

    ours, theirs = (load_file(model.path / "model.safetensors") for model in (whole, chunked))
    for name, weights in ours.items():
        # Five steps of 4e-3 move weights by up to 0.02; sums in another order move them by rounding alone.
        torch.testing.assert_close(weights, theirs[name], atol=1e-3, rtol=0)


def test_preferences_move_the_chosen_answer_above_the_rejected_one(workshop: Any, base: mlm.Model) -> None:
    workshop.points.clear()
    data = workshop.data("pairs", PAIRS)
    trainer = DPO(steps=12, **SHORT)

    trainer.mlm_train(data=data, model=base, context=workshop.context("dpo"))

    margins = [values["reward_margin"] for _, values in workshop.points]
    # The reference is the starting model, so before the first step no answer is preferred.
    assert margins[0] == pytest.approx(0, abs=1e-4)
    assert margins[-1] > 0.1


def test_preferences_may_be_messages(workshop: Any, base: mlm.Model) -> None:
    """As text, and with the prompt at the head of each answer: the same rows make the same model."""
    spoken = [
        {"prompt": said(row["prompt"], "user"), **{k: said(row[k], "assistant") for k in ("chosen", "rejected")}}
        for row in PAIRS
    ]
    whole = [{**row, **{k: row["prompt"] + row[k] for k in ("chosen", "rejected")}} for row in spoken]

    digests = [
        workshop.digest(
            DPO(steps=3, **SHORT)
            .mlm_train(data=workshop.data(f"{name}.rows", rows), model=base, context=workshop.context(name))
            .path
        )
        for name, rows in (("text", PAIRS), ("spoken", spoken), ("whole", whole))
    ]

    assert digests[0] == digests[1] == digests[2]


def test_another_reference_model_may_be_named(workshop: Any, tokenizer: mlm.Model, base: mlm.Model) -> None:
    other = pretrained(workshop, tokenizer, "other", steps=2, seed=3)
    workshop.points.clear()

    DPO(steps=2, reference=other, **SHORT).mlm_train(
        data=workshop.data("pairs", PAIRS), model=base, context=workshop.context("dpo")
    )

    assert workshop.points[0][1]["reward_margin"] != pytest.approx(0, abs=1e-4)


@pytest.mark.parametrize(
    ("trainer", "told"),
    [
        (SFT(), "neither a column 'messages' nor both 'prompt' and 'completion' .columns: row_id, source, text"),
        (DPO(), "no column .*'chosen'"),
    ],
)
def test_rows_of_the_wrong_form_are_refused_with_their_columns(
    workshop: Any, base: mlm.Model, trainer: Any, told: str
) -> None:
    with pytest.raises(mlm.DataError, match=rf"texts .train. has {told}"):
        trainer.mlm_train(data=workshop.data("texts", TEXTS), model=base, context=workshop.context("x"))


CHILD = """
import json, os, signal, sys
from pathlib import Path
import mlm
from mlm_plugins.trainers.{module} import {name}

folder, work, data, model, points = map(Path, sys.argv[1:6])
kill_at = int(sys.argv[6])

def log(step, values):
    with points.open("a") as file:
        file.write(json.dumps([step, values["loss"]]) + "\\n")

def progress(done, total=None, note=""):
    if done == kill_at:
        os.kill(os.getpid(), signal.SIGKILL)

problem = mlm.Problem(name="t", task="chat", purpose="p")
context = mlm.Context(folder=folder, work=work, project=folder, problem=problem, threads=1, log=log, progress=progress)
trainer = {name}(steps=12, batch_size=8, max_length=64, warmup_steps=2, save_steps=4)
trainer.mlm_train(data=mlm.Dataset(data), model=mlm.Model(model), context=context)
"""


def child(
    workshop: Any, trainer: type, data: mlm.Dataset, model: mlm.Model, run: str, kill_at: int
) -> tuple[int, Path]:
    folder, work, points = (workshop.folder / f"{run}.{part}" for part in ("out", "work", "points"))
    folder.mkdir(exist_ok=True)
    work.mkdir(exist_ok=True)
    code = CHILD.format(module=trainer.__module__.rpartition(".")[2], name=trainer.__name__)
    arguments = [str(path) for path in (folder, work, data.path, model.path, points)] + [str(kill_at)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", code, *arguments], env=environment, capture_output=True, text=True)
    assert done.returncode in (0, -signal.SIGKILL), done.stderr
    assert done.stdout == ""
    return done.returncode, folder


def curve(folder: Path) -> dict[int, float]:
    """Return the curve that the last process drew."""
    points = [json.loads(line) for line in folder.with_suffix(".points").read_text().splitlines()]
    last = max(place for place, (step, _) in enumerate(points) if step == 1)
    return dict(points[last:])


@pytest.mark.parametrize(("trainer", "rows"), [(SFT, [{"messages": talk} for talk in TALKS]), (DPO, PAIRS)])
def test_a_killed_run_goes_on_from_its_checkpoint_and_ends_as_if_nothing_had_happened(
    workshop: Any, base: mlm.Model, trainer: type, rows: list[dict[str, Any]]
) -> None:
    data = workshop.data("rows", rows)

    assert child(workshop, trainer, data, base, "whole", -1)[0] == 0
    assert child(workshop, trainer, data, base, "broken", 6)[0] == -signal.SIGKILL
    checkpoint = newest_checkpoint(workshop.folder / "broken.work" / "checkpoints")
    assert checkpoint is not None
    assert checkpoint.endswith("checkpoint-4")
    assert child(workshop, trainer, data, base, "broken", -1)[0] == 0

    whole, resumed = workshop.folder / "whole.out", workshop.folder / "broken.out"
    assert workshop.digest(resumed) == workshop.digest(whole)
    assert curve(resumed) == pytest.approx(curve(whole))


def test_a_checkpoint_that_was_cut_off_while_it_was_written_is_passed_over(tmp_path: Path) -> None:
    for step, state in ((2, '{"global_step": 2}'), (10, '{"global_step": 10}'), (12, '{"global_st')):
        (tmp_path / f"checkpoint-{step}").mkdir()
        (tmp_path / f"checkpoint-{step}" / "trainer_state.json").write_text(state)
    (tmp_path / "checkpoint-14").mkdir()

    assert newest_checkpoint(tmp_path) == str(tmp_path / "checkpoint-10")
    assert newest_checkpoint(tmp_path / "nowhere") is None
