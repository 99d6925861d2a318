# Every target makes the environment that it needs (tools/environment); a second run is quick.
# PYTHON=python3.12 picks the interpreter, VENV=... the directory, ARGS="-k tape" goes to the tool.
VENV ?= .venv
PEERS ?= .venv-peers
ARGS ?=
export PYTHON

# A build of PyTorch without gigabytes of CUDA: taken where the package index offers one.
TORCH := torch==2.13.0+cpu

python := $(VENV)/bin/python
pytest := $(python) -m pytest -n 2

.PHONY: demo test test-all doctest lint types contract size format check bench bench-peers \
        environment requirements clean

demo: environment  ## train on real digits by fit and by hand, save, reload, draw
	$(python) examples/digits.py $(ARGS)

test: environment  ## the tests, without those marked slow
	$(pytest) $(ARGS)

test-all: environment  ## all tests
	$(pytest) -m "slow or not slow" $(ARGS)

doctest: environment  ## the examples in docstrings
	$(pytest) --doctest-modules lamina $(ARGS)

lint: environment  ## ruff's rules and format
	$(python) -m ruff check .
	$(python) -m ruff format --check .

types: environment  ## pyright, strict on lamina/engine
	$(python) -m pyright --pythonpath $(python) $(ARGS)

contract: environment  ## which room imports which
	$(VENV)/bin/lint-imports

size: environment  ## lengths of files, classes and functions
	$(python) tools/size.py $(ARGS)

format: environment  ## write what ruff can mend
	$(python) -m ruff check --fix .
	$(python) -m ruff format .

check:  ## all of the above, as CI does
	bash .ci/run

bench: environment  ## ratios to hand-written JAX on this machine
	$(python) -m benchmarks $(ARGS)

bench-peers:  ## the same, with TensorFlow, Keras, Flax and, if there is a build, PyTorch
	@tools/environment $(PEERS) requirements/peers.txt
	@$(PEERS)/bin/python -m pip install -q "$(TORCH)" 2>/dev/null || \
		echo "bench-peers: no CPU build of PyTorch for this Python; it is left out"
	$(PEERS)/bin/python -m benchmarks --peers $(ARGS)

environment:
	@tools/environment $(VENV) requirements/dev.txt

# One line per Python version where they differ, and no addresses.
compile := UV_PYTHON_DOWNLOADS=never uv pip compile --quiet --upgrade --universal \
           --python-version 3.11 --no-header --no-annotate pyproject.toml
requirements:  ## pin the newest versions again (needs uv)
	$(compile) --extra dev -o requirements/dev.txt
	$(compile) --group peers -o requirements/peers.txt

clean:
	rm -rf $(VENV) $(PEERS) $(VENV).lock $(PEERS).lock dist .pytest_cache .ruff_cache \
		.hypothesis .import_linter_cache
