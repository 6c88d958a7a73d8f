# Two commands to know: `make demo` and `make test`. Both make the environment they need.
PYTHON ?= python3
VENV ?= .venv
DEMO ?= demo
# Processes that the tests run in, each with one thread.
WORKERS ?= 2
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check

.PHONY: help demo test test-slow lint package clean

help:
	@echo "make demo       install, generate a clip from a prompt, audit it, show the verdict"
	@echo "make test       install everything the tests need, lint, type-check, run the tests"
	@echo "make lint       lint and type-check only"
	@echo "make test-slow  run the tests that take more than a few seconds each, which that leaves out"
	@echo "make package    build the wheel and the sdist into dist/"
	@echo "make clean      remove the environment and everything that was made"

$(BIN)/python:
	$(PYTHON) -c "import sys; sys.exit('vidigree needs Python 3.11 or newer') if sys.version_info < (3, 11) else None"
	$(PYTHON) -m venv $(VENV)

$(VENV)/.core: $(BIN)/python pyproject.toml constraints.txt
	$(PIP) install --quiet --constraint constraints.txt --editable .
	@touch $@

# torch comes first and through the constraints, so that nothing pulls another build of it.
# invisible-watermark comes without its dependencies: it asks for opencv-python, which needs
# libGL and overwrites the headless build that is installed already.
$(VENV)/.dev: $(VENV)/.core
	$(PIP) install --quiet --constraint constraints.txt torch
	$(PIP) install --quiet --constraint constraints.txt --editable '.[dev]'
	$(PIP) install --quiet --constraint constraints.txt --no-deps invisible-watermark
	@touch $@

demo: $(VENV)/.core
	@rm -rf $(DEMO) && mkdir $(DEMO)
	VIDIGREE_HOME=$(DEMO)/home $(BIN)/vidigree keys init
	VIDIGREE_HOME=$(DEMO)/home $(BIN)/vidigree generate "two red balls bouncing on a wooden floor" -o $(DEMO)/clip.mp4 --seed 7
	@# Exit code 10 is the verdict "synthetic, and it says so": what this clip must get.
	VIDIGREE_HOME=$(DEMO)/home $(BIN)/vidigree audit $(DEMO)/clip.mp4; test $$? -eq 10
	@echo "The clip is $(DEMO)/clip.mp4"

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# A file's tests stay together, so that what they share is made once.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/pytest --numprocesses $(WORKERS) --dist loadfile

test: lint
	$(PYTEST) -m "not slow"

test-slow: $(VENV)/.dev
	$(PYTEST) -m slow

package: $(VENV)/.dev
	$(BIN)/python -m build --outdir dist .

clean:
	rm -rf $(VENV) $(DEMO) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
