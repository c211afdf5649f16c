# Works with GNU make 3.81 (macOS). Needs Python 3.11 or newer; everything else is installed inside the checkout.
.DEFAULT_GOAL := help
.PHONY: help setup demo test check lint format types imports soak bench openapi clean

BIN := .venv/bin
PYTEST ?= $(BIN)/pytest
COVERED := $(BIN)/pytest --cov --cov-report=
WORKERS ?= -n logical --maxprocesses=4 --no-loadscope-reorder
ARGS ?=

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s  %s\n", $$1, $$2 }' Makefile
	@echo 'ARGS="..." is passed on to the program behind demo, test, soak and bench.'

setup: .venv/.synced ## install everything into .venv; afterwards .venv/bin/connector works

# Rebuilt when the lock changes, or when the environment's Python is gone.
.venv/.synced: pyproject.toml uv.lock .ci/setup
	@.ci/setup
	@touch $@

demo: setup ## a shop's morning through the whole system, on simulated bexio and Arcavis
	$(BIN)/connector demo $(ARGS)

test: setup ## all tests, on every core (WORKERS= for one after the other)
	$(PYTEST) $(WORKERS) $(ARGS)

check: lint types imports ## everything CI checks: lint, format, types, import rules, tests with branch coverage
	@status=0; $(MAKE) test PYTEST="$(COVERED)" || status=$$?; $(BIN)/coverage report; exit $$status

lint: setup ## ruff: rules and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: setup ## ruff: rewrite the format, fix what is safe to fix
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: setup ## pyright
	$(BIN)/pyright

imports: setup ## import-linter
	$(BIN)/lint-imports

soak: setup ## the long proofs, with their figures
	$(BIN)/python -m tests.soak $(ARGS)

bench: setup ## measurements against floors
	$(BIN)/python -m benchmarks $(ARGS)

openapi: setup ## write openapi/openapi.json as it is served
	$(BIN)/connector openapi --output openapi/openapi.json

clean: ## remove what make created; data in .data stays
	rm -rf .venv .tools .pytest_cache .ruff_cache .hypothesis .import_linter_cache .coverage .coverage.* htmlcov
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
