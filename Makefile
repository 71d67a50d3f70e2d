# Set-up, build and every check. `make` alone lists what there is.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.NOTPARALLEL:
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUNTIME := $(VENV)/.runtime-installed
DEV := $(VENV)/.dev-installed
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes
COMPILE := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-annotate --no-strip-extras --custom-compile-command 'make lock'

export PATH := $(CURDIR)/$(BIN):$(PATH)
export DO_NOT_TRACK := 1
export DBT_SEND_ANONYMOUS_USAGE_STATS := false

##@ The two commands
.PHONY: build test
build: warehouse  ## Set up, make sample data if there is no data, build all, print the headline
	python scripts/headline.py

test: $(DEV) lint warehouse  ## Set up and run every check: lint, dbt build with its tests, pytest
	pytest -n 2 --dist loadfile

##@ Parts of them
.PHONY: warehouse simulate lint lint-sql lint-python lint-yaml format
warehouse: $(RUNTIME) data/raw  ## Build every model and run every dbt test
	dbt build

simulate: $(RUNTIME)  ## Make the sample data anew; ARGS='--days 28 --seed 3' for another world
	python scripts/simulate.py $(ARGS)

lint: lint-python lint-yaml lint-sql  ## Check the form of SQL, Python and YAML

lint-python: $(DEV)
	ruff check scripts tests
	ruff format --check scripts tests

lint-yaml: $(DEV)
	python scripts/validate_yaml.py

# The dbt templater runs the macros, so it needs a database: an empty one of its own, for the
# warehouse may be open elsewhere. Its own target folder keeps the build's parse cache warm.
lint-sql: $(DEV)
	MODERATION_QUALITY_DATABASE=:memory: DBT_TARGET_PATH=target/lint \
		sqlfluff lint --disable-progress-bar $(wildcard models tests analyses)

format: $(DEV)  ## Put SQL and Python into form
	ruff check --fix --quiet scripts tests || true
	ruff format scripts tests
	MODERATION_QUALITY_DATABASE=:memory: DBT_TARGET_PATH=target/lint \
		sqlfluff fix --disable-progress-bar $(wildcard models tests analyses)

##@ Further
.PHONY: docs hatecheck coverage-study lock clean help
docs: $(RUNTIME) data/raw  ## Write the documentation as one file, target/static_index.html
	dbt docs generate --static

hatecheck: $(RUNTIME)  ## Build the layer on HateCheck: FILE=path/to/all_annotations.csv
	@test -n '$(FILE)' || { echo "usage: make hatecheck FILE=path/to/all_annotations.csv" >&2; exit 2; }
	python scripts/hatecheck.py '$(FILE)' $(ARGS)

coverage-study: $(DEV)  ## Count how often the intervals cover the truth; writes the table into docs/
	python scripts/coverage_study.py $(ARGS)

lock: $(DEV)  ## Pin requirements/*.in anew, keeping what still fits; ARGS=--upgrade for the latest
	cd requirements && $(COMPILE) $(ARGS) dev.in -o dev.txt
	cd requirements && $(COMPILE) $(ARGS) --constraint dev.txt runtime.in -o runtime.txt

clean:  ## Remove what builds leave behind; data/raw and .venv stay
	rm -rf target logs data/warehouse.duckdb* .pytest_cache .ruff_cache .hypothesis
	find scripts tests -name __pycache__ -prune -exec rm -rf {} +

help:  ## Show this list
	@awk 'BEGIN { FS = ":.*## " } \
		/^##@ / { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z-]+:.*## / { printf "  %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# A folder of one's own is never written over: only where data/raw is absent is there a sample.
data/raw: | $(RUNTIME)
	python scripts/simulate.py

$(BIN)/python:
	@command -v '$(PYTHON)' >/dev/null || \
		{ echo "$(PYTHON) not found: install Python 3.11 or later, or say make PYTHON=/path/to/it" >&2; exit 1; }
	@'$(PYTHON)' -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "$(PYTHON) is $$('$(PYTHON)' --version 2>&1), but 3.11 or later is needed: make PYTHON=python3.11" >&2; exit 1; }
	'$(PYTHON)' -m venv $(VENV)

$(RUNTIME): requirements/runtime.txt | $(BIN)/python
	@echo "Installing $< (about a minute)"
	@$(INSTALL) --requirement $<
	@touch $@

# dev.txt holds all of runtime.txt at the same versions, so one install serves both.
$(DEV): requirements/dev.txt requirements/runtime.txt | $(BIN)/python
	@echo "Installing $< (about two minutes)"
	@$(INSTALL) --requirement $<
	@touch $(RUNTIME) $@
