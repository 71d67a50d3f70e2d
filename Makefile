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
SPARK := $(VENV)/.spark-installed
HYPER := $(VENV)/.hyper-installed
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes
COMPILE := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-annotate --no-strip-extras --custom-compile-command 'make lock'

export PATH := $(CURDIR)/$(BIN):$(PATH)
export DO_NOT_TRACK := 1
export DBT_SEND_ANONYMOUS_USAGE_STATS := false

# SQL='path path' lints some files alone. Which of them are of a connector, and which of none:
of_connector = $(strip $(if $(SQL),$(foreach f,$(SQL),$(if $(findstring /$1/,$f),$f)),$\
	$(wildcard models/*/$1)))
of_none = $(if $(SQL),$(filter-out $(foreach c,$(CONNECTORS),$(call of_connector,$c)),$(SQL)),$\
	$(wildcard models tests analyses))

# The dbt templater runs the macros, so it needs a database: an empty one of its own, for the
# warehouse may be open elsewhere. A connector's models compile only where it is switched on, so
# each has a run of its own. A model that does not compile is but a warning to sqlfluff: not here.
CONNECTORS := $(notdir $(wildcard models/connectors/*))
# $(call sqlfluff,verb,connector or plain,paths)
define sqlfluff
@mkdir -p target/lint/$2
@printf '[sqlfluff:templater:dbt:context]\n%s\n' '$(if $(filter-out plain,$2),raw_connector = $2)' \
	> target/lint/$2/.sqlfluff
@echo "sqlfluff $1 ($2)"
@MODERATION_QUALITY_DATABASE=:memory: DBT_TARGET_PATH=target/lint/$2 \
	python scripts/lint_sql.py $1 --disable-progress-bar --config target/lint/$2/.sqlfluff $3 2>&1 \
	| { grep -vE 'because it is (disabled|a macro)' || true; } | tee target/lint/$2/log
@! grep 'fatal exception' target/lint/$2/log >/dev/null || \
	{ echo "sqlfluff skipped models that do not compile (see above)" >&2; exit 1; }

endef

# In the order of names, but for some files that come first (conftest.py).
PYTEST := pytest -n 2 --dist loadfile --no-loadscope-reorder
# Which tests `make test` runs, by pytest's markers. TESTS= is all of them.
TESTS := not deep and not spark

##@ The two commands
.PHONY: build test
build: warehouse  ## Set up, make sample data if there is none, build all, print the headline, write the page
	python scripts/headline.py
	@python scripts/report.py page

test: $(DEV) $(if $(TESTS),,$(SPARK)) lint warehouse  ## Set up, lint, build the sample with every dbt test, run pytest
	$(PYTEST) -m "$(TESTS)"

##@ Your own data
.PHONY: template own reconcile publish restatements transparency
template: $(RUNTIME)  ## Write a CSV file with a header per raw table, and what goes in: DIR=path/to/folder
	@test -n '$(DIR)' || { echo "usage: make template DIR=path/to/folder" >&2; exit 2; }
	python scripts/template.py '$(DIR)'

own: $(RUNTIME)  ## Build on your tables: RAW=folder [CONNECTOR=audit_sheet MAPPING=file.yml]
	@test -n '$(RAW)' || { echo "usage: make own RAW=folder [CONNECTOR=name] [MAPPING=file]" >&2; exit 2; }
	@python scripts/own.py '$(RAW)' $(if $(CONNECTOR),--connector '$(CONNECTOR)') \
		$(if $(MAPPING),--mapping '$(MAPPING)') $(ARGS)

reconcile: $(RUNTIME)  ## Say whether the numbers agree with the raw files and each source; ARGS='--source decisions=file.csv'
	python scripts/reconcile.py $(ARGS)

publish: $(RUNTIME)  ## Keep the numbers of the last build in the ledger beside the warehouse
	python scripts/publish.py add $(ARGS)

restatements: $(RUNTIME)  ## Say which published numbers are others now, and why
	python scripts/publish.py changes $(ARGS)

transparency: $(RUNTIME)  ## Write the DSA's transparency sheets: PERIOD=2026H1 [ARGS='--service Name --because text']
	@test -n '$(PERIOD)' || { echo "usage: make transparency PERIOD=2026H1" >&2; exit 2; }
	python scripts/transparency.py '$(PERIOD)' $(ARGS)

##@ While editing, and before a release
.PHONY: check impact semantic-diff test-deep test-all
check: $(DEV)  ## Lint what changed since the last green build; build and test the changed models
	python scripts/check.py

impact: $(RUNTIME)  ## Say which marts, columns, metrics and pages a change reaches: BASE=main~3
	@test -n '$(BASE)' || { echo "usage: make impact BASE=commit" >&2; exit 2; }
	@python scripts/impact.py '$(BASE)' $(ARGS)

semantic-diff: $(RUNTIME)  ## Say which definitions a change alters; fails while one is not declared; BASE=commit
	@python scripts/semantic_diff.py $(BASE)

test-deep: $(DEV) $(SPARK)  ## Only what make test-all adds: further seeds, long runs, Spark (needs Java 17)
	$(PYTEST) -m "deep or spark"

# One run of pytest: in two, what many tests read is built twice, and at the end of each a worker waits.
test-all:  ## make test with every test there is, and make semantic-diff
	@$(MAKE) --no-print-directory semantic-diff test TESTS=

##@ Parts of them
.PHONY: warehouse simulate lint lint-sql lint-python lint-yaml format
# What a check left red may be in the warehouse, built by a definition that is gone: from scratch then.
warehouse: $(RUNTIME) data/raw  ## Build every model and run every dbt test
	@python scripts/warehouse.py
	dbt build $(if $(wildcard target/last_build/red.json),--full-refresh)
	@python scripts/check.py --save-state

simulate: $(RUNTIME)  ## Make the sample data anew; ARGS='--days 28 --seed 3' for another world
	python scripts/simulate.py $(ARGS)

lint: lint-python lint-yaml lint-sql  ## Check the form of SQL, Python and YAML

lint-python: $(DEV)
	ruff check scripts tests
	ruff format --check scripts tests

lint-yaml: $(DEV)
	python scripts/validate_yaml.py

lint-sql: $(DEV)
	$(if $(of_none),$(call sqlfluff,lint,plain,$(of_none)))
	$(foreach c,$(CONNECTORS),$(if $(call of_connector,$c),$(call sqlfluff,lint,$c,$(call of_connector,$c))))

format: $(DEV)  ## Put SQL and Python into form
	ruff check --fix --quiet scripts tests || true
	ruff format scripts tests
	$(if $(of_none),$(call sqlfluff,fix,plain,$(of_none)))
	$(foreach c,$(CONNECTORS),$(if $(call of_connector,$c),$(call sqlfluff,fix,$c,$(call of_connector,$c))))

##@ What people read
.PHONY: report weekly alerts explain export query metrics pictures
report: $(RUNTIME)  ## Write the page of the last build again, report/index.html
	python scripts/report.py page $(ARGS)

weekly: $(RUNTIME)  ## Write the last complete week in words and charts; PERIOD=2026-06-05 for the week of a day
	python scripts/report.py weekly $(if $(PERIOD),--period $(PERIOD)) $(ARGS)

alerts: $(RUNTIME)  ## Print what alarms now, and write it to report/alerts; exits with 1 on a new strong alarm
	@python scripts/alerts.py $(ARGS)

explain: $(RUNTIME)  ## Say why accuracy changed between two periods; ARGS='--from 2026-05-01 --to 2026-05-31 --where queue=q02'
	python scripts/explain.py $(ARGS)

export: $(RUNTIME) $(if $(TABLEAU),$(HYPER))  ## Copy the open marts for Tableau, Power BI and Excel: exports/latest; TABLEAU=1 first installs Hyper
	python scripts/export.py $(ARGS)

query: $(RUNTIME)  ## Ask the semantic layer: ARGS='query --metrics accuracy --group-by metric_time__month'
	@python scripts/query.py $(ARGS)

metrics: $(RUNTIME)  ## Write the definitions of seeds/metrics.csv for people: docs/metrics.md and dbt docs
	python scripts/metric_catalog.py $(ARGS)

pictures: $(DEV)  ## Take the pictures of both that docs/ shows, of the sample data (needs Debian's Chromium)
	python scripts/pictures.py

##@ Further
.PHONY: docs hatecheck convabuse coverage-study monitoring-study faults parity compare benchmark lock clean help
docs: $(RUNTIME) data/raw  ## Write the documentation as one file, target/static_index.html
	dbt docs generate --static

hatecheck: $(RUNTIME)  ## Build the layer on HateCheck: FILE=path/to/all_annotations.csv
	@test -n '$(FILE)' || { echo "usage: make hatecheck FILE=path/to/all_annotations.csv" >&2; exit 2; }
	python scripts/hatecheck.py '$(FILE)' $(ARGS)

convabuse: $(RUNTIME)  ## Build the layer on ConvAbuse: FILE=path/to/labels_long.csv
	@test -n '$(FILE)' || { echo "usage: make convabuse FILE=path/to/labels_long.csv" >&2; exit 2; }
	python scripts/convabuse.py '$(FILE)' $(ARGS)

coverage-study: $(DEV)  ## Count how often the intervals cover the truth; writes the table into docs/
	python scripts/coverage_study.py $(ARGS)

monitoring-study: $(DEV)  ## Build and score simulated worlds: false alarms, what is found; writes docs/monitoring_study.md
	python scripts/monitoring_study.py $(ARGS)

faults: $(DEV)  ## Spoil a healthy world in every way we know, see what says so; writes docs/faults.md
	python scripts/faults.py $(ARGS)

parity: $(SPARK)  ## Build on DuckDB and on Spark and compare row by row; ARGS='--raw data/raw'
	python scripts/parity.py $(ARGS)

compare: $(RUNTIME)  ## Compare a warehouse built earlier with today's, row by row; BEFORE=file ARGS='--renamed t.old=new'
	python scripts/compare_builds.py $(BEFORE) $(ARGS)

benchmark: $(DEV) $(SPARK)  ## Measure builds of 1 to 50 million decisions (two hours); writes docs/benchmarks.md
	python scripts/benchmark.py $(ARGS)

lock: $(DEV)  ## Pin requirements/*.in anew, keeping what still fits; ARGS=--upgrade for the latest
	cd requirements && $(COMPILE) $(ARGS) dev.in -o dev.txt
	cd requirements && $(COMPILE) $(ARGS) --constraint dev.txt runtime.in -o runtime.txt
	cd requirements && $(COMPILE) $(ARGS) --constraint dev.txt spark.in -o spark.txt
	cd requirements && $(COMPILE) $(ARGS) --constraint dev.txt tableau.in -o tableau.txt

clean:  ## Remove what builds leave behind; data/raw and .venv stay
	rm -rf target logs report exports data/warehouse.duckdb* data/spark .pytest_cache .ruff_cache .hypothesis
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

# Besides the others, at the same versions: whoever uses DuckDB alone need not have it.
$(SPARK): requirements/spark.txt | $(RUNTIME)
	@echo "Installing $< (half a gigabyte: a few minutes)"
	@$(INSTALL) --requirement $<
	@touch $@

$(HYPER): requirements/tableau.txt | $(RUNTIME)
	@echo "Installing $< (90 MB)"
	@$(INSTALL) --requirement $<
	@touch $@

# dev.txt holds all of runtime.txt and tableau.txt at the same versions, so one install serves all.
$(DEV): requirements/dev.txt requirements/runtime.txt requirements/tableau.txt | $(BIN)/python
	@echo "Installing $< (about two minutes)"
	@$(INSTALL) --requirement $<
	@touch $(RUNTIME) $(HYPER) $@
