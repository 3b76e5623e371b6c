# make demo     set up, train on a made-up world, show vectors, analogies and a picture
# make test     set up, run the whole test suite
# make check    what continuous integration runs: linters, type checker, tests
# make docs     build the documentation into site/, warnings being errors
# make fuzz     a minute of fuzzing the readers of vectors (Linux; needs a Python that atheris has wheels for)
# make figures  draw the figures of the guide and the gallery again (the gallery's needs Chromium)
# make bench    measure against the peers (takes long; wants a quiet machine)

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.firth-is-installed
READY := $(VENV)/.firth-is-ready-to-test

.PHONY: setup demo test lint check docs figures fuzz bench clean

setup: $(READY)

$(INSTALLED): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "firth needs Python 3.11 or newer; name one: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --editable '.[viz]'
	@touch $@

# What tests and linters need besides is large (PyTorch), and the demo does without.
$(READY): $(INSTALLED)
	$(BIN)/python -m pip install --quiet --group dev
	@touch $@

demo: $(INSTALLED)
	$(BIN)/firth demo

test: setup
	$(BIN)/python -m pytest

lint: setup
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

check: lint test

docs: $(INSTALLED)
	$(BIN)/python -m pip install --quiet --group docs
	PYTHONPATH=docs $(BIN)/python -m zensical build --strict --clean

figures: $(INSTALLED)
	$(BIN)/python docs/figures
	$(BIN)/python -m pip install --quiet '.[plot]'
	$(BIN)/python docs/figures/gallery

fuzz: $(INSTALLED)
	$(BIN)/python -m pip install --quiet --group fuzz
	$(BIN)/python tests/fuzz/readers.py -max_total_time=60

bench: setup
	$(BIN)/python -m pip install --quiet --group bench
	$(BIN)/python benchmarks/peers.py

clean:
	rm -rf $(VENV) demo site .cache dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis
