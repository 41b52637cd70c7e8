# Everything runs in .venv, built by `make setup`, which every other target brings up to date first.
SHELL := /bin/bash
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.complete
PYTHON ?= $(shell for name in python3 python3.11 python3.12 python3.13 python3.14; do \
	$$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$name && break; done)
ARGS ?=
CORES := $(shell nproc 2>/dev/null || echo 2)
PARALLEL := -n $(shell echo $$(($(CORES) < 4 ? $(CORES) + 1 : 5))) --dist loadfile # much of the time goes by in waiting
CODE := undercroft ingest risk duty api dashboards simulators tests

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-all check bench clean

help: ## Show this list.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' Makefile

setup: $(STAMP) ## Build .venv from requirements.txt.

$(STAMP): requirements.txt pyproject.toml
	@if [ -z "$(PYTHON)" ]; then \
		echo "undercroft: no Python 3.11 or newer found; name one: make $(MAKECMDGOALS) PYTHON=/path/to/python3" >&2; exit 1; fi
	@if ! $(PYTHON) -c 'import venv, ensurepip' 2>/dev/null; then \
		echo "undercroft: $(PYTHON) has no venv module; install the system package python3-venv (Debian, Ubuntu)" >&2; \
		exit 1; fi
	@echo "setting up $(VENV); the first time it takes some minutes"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --use-pep517 -r requirements.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

demo: setup ## Watch a rainstorm flood a district; options in ARGS="...".
	@$(BIN)/undercroft demo $(ARGS)

test: setup ## Prove it: real broker, real database, real processes.
	@$(BIN)/pytest -q -m "not slow" $(PARALLEL) $(ARGS)

test-all: test ## The same, then what is marked slow.
	@$(BIN)/pytest -q -m slow $(PARALLEL) $(ARGS)

check: setup ## Format, lint, types, import contracts.
	@$(BIN)/ruff format --check $(CODE)
	@$(BIN)/ruff check $(CODE)
	@$(BIN)/mypy
	@$(BIN)/lint-imports

bench: setup ## Speed and memory beside their limits; `undercroft bench query` needs a database of its own.
	@missed=; for name in demo ingest engine duty api; do \
		echo "== $$name"; $(BIN)/undercroft bench $$name $(ARGS) || missed="$$missed $$name"; done; \
	if [ -n "$$missed" ]; then echo "missed:$$missed" >&2; exit 1; fi

clean: ## Remove .venv, caches and builds.
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find $(CODE) -name __pycache__ -type d -prune -exec rm -rf {} +
