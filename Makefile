# Every target makes the virtual environment that it needs; `make demo` is the place to start.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
OLDEST := 3, 11
VERSIONS := 3.11 3.12 3.13
SECONDS := 60

.DEFAULT_GOAL := help
.PHONY: help demo test test-all lint fmt pytest fuzz screenshots bench clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

demo: $(VENV)/.installed ## the program with servers of its own: no account and no network needed
	@$(BIN)/mailtui demo

test: lint pytest ## everything that must be green: style, types and tests

test-all: test $(VERSIONS:%=test-%) ## the same, and the tests under every other Python that is here

lint: $(VENV)/.ready ## style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

fmt: $(VENV)/.ready ## put the style right
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

pytest: $(VENV)/.ready ## the tests alone; ARGS goes to pytest
	@$(BIN)/python --version
	@$(BIN)/python -m pytest -q $(ARGS)

# One Python by its version, in an environment of its own. A version manager's shim may be on PATH and not work,
# so each candidate has to run; the Python that `make test` uses already is not taken twice. The pictures, which take
# long, are the same under each. They may run beside one another: `make --jobs=3 test-all`.
test-%:
	@if [ "$$($(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])')" = "$*" ]; then \
	    echo "Python $* is the one that make test runs"; exit 0; fi; \
	for python in python$* "$$(pyenv root 2>/dev/null)"/versions/$*.*/bin/python$*; do \
	    if "$$python" -c '' 2>/dev/null; then \
	        exec $(MAKE) --no-print-directory pytest PYTHON="$$python" VENV=.venv-$* \
	            ARGS="--ignore=tests/tui/test_pictures.py $(ARGS)"; fi; \
	done; echo "Python $* is not here: skipped"

fuzz: $(VENV)/.fuzzing ## look for crashes where outside text is read, for SECONDS; TARGETS are all unless named
	@$(BIN)/python -m tests.fuzz.guided --seconds $(SECONDS) $(TARGETS)

screenshots: $(VENV)/.ready ## draw the pictures again
	$(BIN)/python -m tests.tui.make_screenshots

bench: $(VENV)/.ready ## compare with the other tools
	$(BIN)/python -m benchmarks

clean: ## remove the environments and everything that tools left
	rm -rf .venv .venv-* build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .fuzz *.egg-info
	find . -name __pycache__ -prune -exec rm -rf {} +

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < ($(OLDEST)))' 2>/dev/null || { \
	    echo "mailtui needs Python 3.11 or newer, and $(PYTHON) is $$($(PYTHON) --version 2>&1 || echo missing)." >&2; \
	    echo "Name another one: make PYTHON=/path/to/python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV)
	@echo '*' > $(VENV)/.gitignore

$(VENV)/.installed: pyproject.toml | $(BIN)/python
	@echo "Installing mailtui into $(VENV) ..."
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -e .
	@touch $@

$(VENV)/.ready: pyproject.toml | $(BIN)/python
	@echo "Installing mailtui and what its tests need into $(VENV) ..."
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -e '.[dev]'
	@touch $(VENV)/.installed $@

$(VENV)/.fuzzing: pyproject.toml | $(BIN)/python
	@echo "Installing mailtui and its fuzzer into $(VENV) ..."
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -e '.[dev,fuzz]'
	@touch $(VENV)/.installed $(VENV)/.ready $@
