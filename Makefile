# Every verb sets up what it needs. SEED chooses the demo's seed: make demo SEED=2
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
SEED ?= 1
export HF_HUB_OFFLINE := 1
export ORT_DISABLE_TELEMETRY := 1
export TOKENIZERS_PARALLELISM := false

.PHONY: help demo test test-heavy lint format bench peers docs clean

help:  ## List the verbs
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(VENV)/.created:
	$(PYTHON) -m venv $(VENV)
	touch $@

# torch comes first and pinned: left to itself, the resolver may bring gigabytes of CUDA.
$(VENV)/.torch: $(VENV)/.created constraints.txt
	$(PIP) install --constraint constraints.txt torch==2.13.0
	touch $@

$(VENV)/.all: $(VENV)/.torch pyproject.toml constraints.txt
	$(PIP) install --constraint constraints.txt --editable '.[all]'
	touch $@

$(VENV)/.dev: $(VENV)/.torch pyproject.toml constraints.txt
	$(PIP) install --constraint constraints.txt --editable '.[dev]'
	touch $@ $(VENV)/.all

demo: $(VENV)/.all  ## Take a small real model through its whole life, in ./demo
	rm -rf demo
	$(BIN)/mlm init atlas demo --seed $(SEED)
	PATH="$(CURDIR)/$(BIN):$$PATH" ./demo/life.sh

test: $(VENV)/.dev  ## Run the tests
	$(BIN)/pytest -m "not heavy"

test-heavy: $(VENV)/.dev  ## Run the tests that train and serve for longer
	$(BIN)/pytest -m heavy

lint: $(VENV)/.dev  ## Check style, types and the direction of imports
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy registry/mlm_registry core/mlm plugins/mlm_plugins
	$(BIN)/lint-imports

format: $(VENV)/.dev  ## Format the code
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: $(VENV)/.dev  ## Measure each speed beside its peer; writes build/bench.json
	$(BIN)/python -m tests.benchmarks

PEERS := build/peers/.venv
$(PEERS)/bin/.made: tests/benchmarks/peers/requirements.txt
	$(PYTHON) -m venv $(PEERS)
	$(PEERS)/bin/python -m pip --disable-pip-version-check --quiet install --requirement $<
	touch $@

peers: $(PEERS)/bin/.made  ## Install the other systems that `make bench` compares with, in build/peers

docs: $(VENV)/.dev  ## Write the generated reference pages again
	$(BIN)/python docs/generate.py

clean:  ## Remove what the verbs made
	rm -rf $(VENV) demo build
