# Every target works twice in a row. `make help` lists them.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CHILDREN ?= 5000
SEED ?= 1

.PHONY: demo children up down status reset test test-browser check faults chaos sticky bench contracts help

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | awk -F'\t' '{printf "  make %-14s %s\n", $$1, $$2}'

$(VENV)/ready: requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Childview needs Python 3.11 or newer (found: $$($(PYTHON) --version 2>&1 || echo none)). Name another one with PYTHON=..."; exit 1; }
	@test -x "$(BIN)/python" || $(PYTHON) -m venv "$(VENV)"
	@echo "installing what Childview needs (once)"
	@"$(BIN)/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@"$(BIN)/python" -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch "$@"

$(VENV)/ready-dev: $(VENV)/ready requirements-dev.txt
	@"$(BIN)/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch "$@"

demo: $(VENV)/ready children ## start everything, load an invented authority, and say who to be and what to see
	@"$(BIN)/childview" up
	@"$(BIN)/childview" demo load --children $(CHILDREN) --seed $(SEED)
	@"$(BIN)/childview" demo show

children:
	@case "$(CHILDREN)" in ''|*[!0-9]*|0*) echo "CHILDREN is how many children to invent: a whole number, 1 or more (not '$(CHILDREN)')"; exit 1;; esac

up: $(VENV)/ready ## start every process
	@"$(BIN)/childview" up

down: $(VENV)/ready ## stop every process
	@"$(BIN)/childview" down

status: $(VENV)/ready ## how things stand
	@"$(BIN)/childview" status

reset: $(VENV)/ready ## stop every process and forget everything
	@"$(BIN)/childview" reset

test: $(VENV)/ready-dev ## every test that needs Python alone (real Kafka, real PostgreSQL)
	@"$(BIN)/python" -m pytest -q -n 2 --dist loadfile -m "not browser" tests

test-browser: $(VENV)/ready-dev ## the pages in Chromium, against a small demonstration
	@"$(BIN)/python" -m pytest -q -m browser tests/browser

check: $(VENV)/ready-dev ## style, borders, contracts, policies
	@"$(BIN)/ruff" check services deploy tests benchmarks
	@"$(BIN)/lint-imports" --config pyproject.toml
	@"$(BIN)/python" -m services.plumbing.breaking
	@"$(BIN)/python" -m deploy.local.export --check
	@"$(BIN)/childview" policy lint

contracts: $(VENV)/ready ## export OpenAPI to contracts/http, and compare the contracts with the last release
	@"$(BIN)/python" -m deploy.local.export
	@"$(BIN)/python" -m services.plumbing.breaking

faults: $(VENV)/ready-dev ## kill -9 of every process at seeded moments during imports and reads (MOMENTS, SEED)
	@"$(BIN)/python" -m tests.journeys.faults --moments $(or $(MOMENTS),20) --seed $(SEED)

chaos: faults ## the same as faults

sticky: $(VENV)/ready-dev ## random operations on what people decided, 10,000 in about an hour (OPERATIONS, SEED)
	@CHILDVIEW_OPERATIONS=$(or $(OPERATIONS),10000) CHILDVIEW_SEED=$(SEED) "$(BIN)/python" -m pytest -q -s tests/childview/identity/test_sticky_decisions.py

bench: $(VENV)/ready-dev ## the figures of benchmarks/ (WHAT: imports school-day reads two-worlds visible projection idle demo)
	@"$(BIN)/python" -m benchmarks $(WHAT)
