# Every target works from a fresh clone with Python 3.11+ and make; the first one sets up .venv.
PYTHON ?= python3
BIN := .venv/bin
PINS := constraints/cpu-py311.txt
# One torch thread: on small networks more threads are slower, and results then match anywhere.
export OMP_NUM_THREADS := 1

.PHONY: help demo test test-all bench lint generated packages
.DEFAULT_GOAL := help

help:  ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 18

demo: .venv/installed  ## Run scenarios/quickstart.yaml and write its report (again: only what is missing)
	$(BIN)/sandbox run scenarios/quickstart.yaml

lint: .venv/installed  ## Check style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test: lint  ## Style, types and every test that takes seconds
	$(BIN)/python -m pytest -q -n 2 -m "not slow"

test-all: lint  ## The same with the tests that take minutes
	$(BIN)/python -m pytest -q -n 2 --hypothesis-profile explore

# BASE=PATH: beside a checkout of an older commit, with its .venv; JAX_PYTHON=PYTHON: beside a JAX loop.
bench: .venv/bench  ## Measure against peers, side by side in one run (BASE=, JAX_PYTHON=)
	@failed=; for each in $(notdir $(basename $(wildcard benchmarks/*.py))); do \
	  case $$each in learning|trials) with="$(if $(BASE),--base $(BASE))";; *) with=;; esac; \
	  echo "$(BIN)/python -m benchmarks.$$each $$with"; \
	  $(BIN)/python -m benchmarks.$$each $$with || failed="$$failed $$each"; \
	done; test -z "$$failed" || { echo "short of a target, or failed:$$failed"; exit 1; }

packages: .venv/installed  ## Print the packages in order, their files and imports, and every circle
	@$(BIN)/python tests/project/import_graph.py

generated: .venv/installed  ## Write again what is made from parts and findings: schema, gallery, tables
	$(BIN)/python -m sandbox.generated

.venv/installed: pyproject.toml $(PINS)
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed: make PYTHON=python3.11 ..." if sys.version_info < (3, 11) else 0)'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c $(PINS) -e '.[test]'
	@touch $@

.venv/bench: .venv/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c $(PINS) -e '.[test,bench]'
	@touch $@
