# livermre: `make demo` shows the main job, `make test` proves it. Both set up all that they need in .venv.
#   make demo     build .venv (analysis only, no torch) and analyse exams that livermre simulates itself
#   make test     build .venv with everything and run ruff, mypy and all tests
#   make check    ruff and mypy only
#   make bench    time and memory -> docs/benchmarks.md
#   make weights  train the shipped network again
#   make clean    remove what make built

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
VENV := .venv
BIN := $(VENV)/bin
PIP = $(BIN)/python -m pip install -qq --disable-pip-version-check
JOBS ?= 2
OUT ?= runs
SHAPES ?= ../shared/data/shapes

# The first of these that runs and is new enough; PYTHON=/path/to/python chooses another.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && echo $$p && break; done)

.PHONY: help demo test check format bench weights clean
help:
	@sed -n '2,7s/^#   //p' Makefile

$(BIN)/pip:
	@test -n "$(PYTHON)" || { echo "livermre needs Python 3.11 or later; none was found. Install one, or say: make PYTHON=/path/to/python3.11 ..." >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "$(PYTHON) cannot build a virtual environment; on Debian or Ubuntu: apt-get install python3-venv" >&2; exit 1; }

# pip comes last into a new environment: where it is, the rest is. The stamps say what .venv holds; they are older than pyproject.toml once the requirements change.
$(VENV)/.analysis: pyproject.toml | $(BIN)/pip
	@echo "Installing the analysis into $(VENV) (once, about a minute) ..."
	@$(PIP) -e .
	@touch $@

$(VENV)/.all: pyproject.toml | $(BIN)/pip
	@echo "Installing analysis, training and checks into $(VENV) (once, several minutes: torch is large) ..."
	@$(PIP) -e '.[dev,train,node]'
	@touch $@ $(VENV)/.analysis

demo: $(VENV)/.analysis
	@$(BIN)/livermre demo --out $(OUT)/demo

check: $(VENV)/.all
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test: check
	@sh tests/programs.sh
	$(BIN)/pytest -n $(JOBS)

format: $(VENV)/.all
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.all
	$(BIN)/python benchmarks/analyze.py --out docs/benchmarks.md

weights: $(VENV)/.all
	$(BIN)/livermre train --synthetic $(SHAPES) --network unet-resnext50 --out $(OUT)/weights --seed 1 \
		--licence "Apache-2.0; see docs/model-card.md for the shapes it was trained on"

clean:
	rm -rf $(VENV) dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis $(OUT)/demo
