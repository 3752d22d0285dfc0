"""A model that others trained and published, through import, export, serving and further training."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.real, pytest.mark.heavy]

HERE = Path(__file__).parent / "stories260k"


@pytest.fixture(scope="module")
def real_data() -> Path:
    place = os.environ.get("MLM_REAL_DATA", "")
    if not place:
        pytest.skip("MLM_REAL_DATA names no folder of real models and texts")
    return Path(place).resolve()


@pytest.fixture(scope="module")
def golden(real_data: Path) -> dict[str, Any]:
    return json.loads((real_data / "models/stories260K/golden.json").read_text(encoding="utf-8"))


def mlm(project: Path, *arguments: str) -> str:
    command = [sys.executable, "-m", "mlm", "-C", str(project), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def project(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stories")
    toml = (HERE / "mlm.toml").read_text(encoding="utf-8").replace("{data}", str(real_data))
    (folder / "mlm.toml").write_text(toml, encoding="utf-8")
    shutil.copy(HERE / "openings.jsonl", folder)
    mlm(folder, "run")
    return folder


@pytest.fixture(scope="module")
def endpoint(project: Path) -> Iterator[str]:
    mlm(project, "promote", "onnx", "--reason", "published")
    mlm(project, "deploy", "api")
    server = subprocess.Popen([sys.executable, "-m", "mlm", "-C", str(project), "serve", "api"])
    try:
        yield _url(project)
    finally:
        server.send_signal(signal.SIGTERM)
        assert server.wait(30) == 0


def _url(project: Path) -> str:
    from mlm.visiting import endpoint_url
    from mlm_registry import Registry

    with Registry.open(project / ".mlm") as registry:
        return endpoint_url(registry, "api", 90)


def scores(project: Path, step: str) -> dict[str, float]:
    """Return the value of each model's perplexity by an evaluation step."""
    rows = json.loads(mlm(project, "status", "--json"))["scores"]
    return {row["model"].partition("@")[0]: row["value"] for row in rows if row["step"] == step}


def test_the_served_greedy_continuation_is_the_published_one(endpoint: str, golden: dict[str, Any]) -> None:
    import openai

    with openai.OpenAI(base_url=f"{endpoint}/v1", api_key="none") as client:
        made = client.completions.create(model="api", prompt=golden["prompt_ids"], max_tokens=200, temperature=0)
        stream = client.completions.create(
            model="api", prompt=golden["prompt_ids"], max_tokens=200, temperature=0, stream=True
        )
        streamed = "".join(chunk.choices[0].text for chunk in stream)

    assert golden["expected_text_run_c_200_steps"] == made.choices[0].text
    assert golden["expected_text_run_c_200_steps"] == streamed


def test_transformers_gives_the_published_continuation_of_the_imported_folder(
    project: Path, golden: dict[str, Any]
) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    folder = json.loads(mlm(project, "show", "base", "--json"))["path"]
    model = AutoModelForCausalLM.from_pretrained(folder)
    with torch.no_grad():
        ids = model.generate(torch.tensor([golden["prompt_ids"]]), max_new_tokens=200, do_sample=False)

    assert golden["greedy_ids_hf"] == ids[0].tolist()


def test_the_export_has_the_perplexity_of_its_source(project: Path) -> None:
    found = scores(project, "fluency")

    # Two runtimes round differently in the seventh digit; a wrong export is off by far more.
    assert found["base"] == pytest.approx(found["onnx"], rel=1e-4)


def test_further_training_on_real_text_lowers_its_perplexity(project: Path) -> None:
    found = scores(project, "verse")
    print(f"perplexity on held-out Shakespeare: {found['base']:.1f} before, {found['bard']:.1f} after")

    assert found["bard"] < 0.5 * found["base"]


def test_a_response_leads_back_to_the_folder_that_was_imported(project: Path, endpoint: str) -> None:
    import httpx

    body = {"model": "api", "prompt": "Once upon a time", "max_tokens": 4, "temperature": 0}
    answer = httpx.post(f"{endpoint}/v1/completions", json=body, timeout=30).json()
    mlm(project, "feedback", answer["id"], "--up") if _recorded(project, answer["id"]) else pytest.fail("not recorded")

    lineage = json.loads(mlm(project, "trace", answer["id"], "--up", "--json"))

    assert [row["ref"] for row in lineage["lineage"]["nodes"]] == ["base@1", "onnx@1"]


def _recorded(project: Path, response: str) -> bool:
    import time

    from mlm_registry import NotFound, Registry

    with Registry.open(project / ".mlm") as registry:
        for _ in range(100):
            try:
                registry.exchanges.get(response)
                return True
            except NotFound:
                time.sleep(0.05)
    return False
