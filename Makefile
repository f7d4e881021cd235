.DEFAULT_GOAL := help
SHELL := bash
PYTHON ?= python3
BIN := .venv/bin
ARGS ?=
KILLS ?= 30
SEED ?= $(shell echo $$RANDOM)

.PHONY: help setup run test check openapi release-openapi lock faults bench clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## *' '{printf "  make %-16s %s\n", $$1, $$2}'

setup: .venv/ready  ## make .venv with exactly the packages of requirements.lock

.venv/ready: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -e .
	@touch $@

run: setup  ## start the whole suite with a demonstration bank (Ctrl-C stops it)
	BIHUAN_ENVIRONMENT=demonstration $(BIN)/bihuan up --demo --customers 10000 $(ARGS)

test: setup  ## run the tests (ARGS="-k p3" passes arguments to pytest)
	$(BIN)/python -m pytest --numprocesses 2 $(ARGS)

check: setup  ## style, types, import rules, API documents
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/basedpyright
	$(BIN)/basedpyright --project tests
	$(BIN)/lint-imports
	$(BIN)/python -m shared.openapi check

openapi: setup  ## write docs/openapi/*.json from the code
	$(BIN)/python -m shared.openapi write

release-openapi: setup  ## make the current API documents the promise that later ones must keep
	$(BIN)/python -m shared.openapi release

lock: setup  ## resolve pyproject.toml anew into requirements.lock
	$(BIN)/uv pip compile pyproject.toml --extra dev --extra linkage --universal --python-version 3.11 \
	  --no-emit-index-url --no-header --upgrade --output-file requirements.lock

faults: setup  ## kill a whole suite's processes, KILLS times, drawn from SEED (default: a new one)
	$(BIN)/python -m pytest tests/faults --kills $(KILLS) --seed $(SEED) $(ARGS)

bench: setup  ## run the benchmarks, writing bench/results/ (ARGS=--short for a quick look)
	$(BIN)/python -m bench $(ARGS)

clean:  ## remove what the commands made, the data folder excepted
	rm -rf .venv .pytest_cache .ruff_cache .hypothesis .import_linter_cache *.egg-info build
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
