# The verbs of this project. `make` prints them.

VENV := .venv
PYTHON_IN := $(VENV)/bin/python
MADE_BY_MACHINE := gen client/chappe_client docs sql
SOURCES := core server workers simulator cli stack client tests

export BUF_CACHE_DIR := $(CURDIR)/$(VENV)/cache/buf
unexport PYTHONPATH PYTHONHOME

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help setup demo up gen format lint verify test test-unit test-integration test-e2e mutants chaos chaos-quick bench-send bench-hits bench-read where check clean

help: ## print these verbs
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## make .venv from the hashed lock files, unless it is fresh
	@bash stack/setup.sh

demo: setup ## a real campaign from a CSV file to read receipts, on this machine alone
	@$(PYTHON_IN) -m cli demo

up: setup ## start everything and leave it running; prints addresses and a key
	@$(PYTHON_IN) -m cli up

gen: setup ## make again what machines make: code from the contract, the schema snapshot, docs/settings.md
	$(PYTHON_IN) -m stack.generate
	$(PYTHON_IN) -m stack.snapshot
	$(PYTHON_IN) -m core.settings > docs/settings.md

format: setup ## lay out the Python files
	$(PYTHON_IN) -m ruff format .
	$(PYTHON_IN) -m ruff check --fix .

lint: setup ## layout, rules, types, import contracts, contract, house rules
	$(PYTHON_IN) -m ruff format --check .
	$(PYTHON_IN) -m ruff check .
	$(PYTHON_IN) -m mypy
	PYTHONPATH=.:gen:client $(VENV)/bin/lint-imports --no-cache --no-logo
	$(VENV)/bin/buf lint
	$(VENV)/bin/buf breaking proto --against baseline.binpb
	$(PYTHON_IN) -m pytest -q tests/house

verify: setup ## what machines made is fresh: `make gen` changes nothing
	@bash .ci/unchanged "$(MADE_BY_MACHINE)" $(MAKE) --no-print-directory gen

test: setup ## all tests
	$(PYTHON_IN) -m pytest

test-unit: setup ## the tests without servers
	$(PYTHON_IN) -m pytest tests/house tests/unit

test-integration: setup ## the tests with PostgreSQL, Valkey and Envoy
	$(PYTHON_IN) -m pytest tests/integration

test-e2e: setup ## the tests with all processes
	$(PYTHON_IN) -m pytest tests/e2e

mutants: setup ## break the code in a copy, one way after another, and see each time a test fail
	$(PYTHON_IN) -m tests.mutants

chaos: setup ## the crash gate: 100,000 messages while everything is killed at random; SEED=n repeats a run
	$(PYTHON_IN) -m tests.chaos $(if $(SEED),--seed $(SEED))

chaos-quick: setup ## the crash gate with 2,000 messages, under three minutes
	$(PYTHON_IN) -m tests.chaos --quick $(if $(SEED),--seed $(SEED))

bench-send: setup ## how fast it sends and what that costs, judged: seven minutes; FULL=1 also how it grows, up to a million
	$(PYTHON_IN) -m tests.bench.suite $(if $(FULL),--full) $(if $(REPORT),--report)

bench-hits: setup ## how near a reply from the cache comes to a bare handler that returns the same bytes
	$(PYTHON_IN) -m tests.bench.cached_reads

bench-read: setup ## how fast it reads at ten million messages, beside the least that could answer; QUICK=1 at 100,000
	$(PYTHON_IN) -m tests.bench.read $(if $(QUICK),--quick) $(if $(FILL),--fill) $(if $(REPORT),--report) $(if $(ONLY),--only "$(ONLY)")

where: ## the house of one noun: make where NOUN=campaigns
	@test -n "$(NOUN)" || { echo "which noun? make where NOUN=campaigns"; exit 2; }
	@git ls-files --cached --others --exclude-standard | grep -i -- "$(NOUN)" | while read -r file; do wc -l "$$file"; done

check: lint verify test ## what a commit must pass

clean: ## remove all that was made here, the environment and the stack's data too
	@test ! -x $(PYTHON_IN) || $(PYTHON_IN) -m stack.clean
	rm -rf .chappe $(VENV) third_party gen/buf dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find $(SOURCES) gen -name __pycache__ -type d -prune -exec rm -rf {} +
