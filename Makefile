# The first use of a target makes the virtual environment in .venv and installs into it from the lock files.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUNTIME := $(VENV)/.runtime-installed
DEV := $(VENV)/.dev-installed
BENCH := $(VENV)/.bench-installed
PYTEST_ARGS ?=
BENCH_ARGS ?=
# The CPythons of Debian 12 and of the two current Ubuntu LTS: what `make package` has wheels for.
PYTHONS ?= 3.11 3.12 3.14
# What the chart deploys unless told otherwise.
IMAGE ?= $(shell awk '/^agent:/ {found = 1} found && /repository:/ {name = $$2} found && /tag:/ {gsub(/"/, "", $$2); print name ":" $$2; exit}' helm/mattermost-load-test/values.yaml)

.PHONY: help demo test check bench format lock wheel package dashboards image kubernetes-tools clean
.DEFAULT_GOAL := help

help: ## list these targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "This toolkit needs Python 3.11 or later; '$(PYTHON)' is older or missing. Name another: make PYTHON=python3.12" >&2; exit 2; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || \
		{ echo "This Python cannot make virtual environments. On Debian and Ubuntu: sudo apt-get install python3-venv" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)

$(RUNTIME): requirements.lock pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(DEV): requirements-dev.lock $(RUNTIME)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

$(BENCH): requirements-bench.lock $(RUNTIME)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-bench.lock
	@touch $@

demo: $(RUNTIME) ## a cluster on this machine, put under load for one minute, and the report of it
	@$(BIN)/python -m mattermost_load_test.demo

test: $(DEV) ## run the tests
	$(BIN)/python -m pytest -n auto --dist loadgroup --no-loadscope-reorder --reruns 2 --rerun-show-tracebacks $(PYTEST_ARGS)

check: $(DEV) ## lint, formatting, types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(BENCH) ## measure the agent beside its peers; BENCH_ARGS="--rounds 3" for less
	$(BIN)/python -m bench $(BENCH_ARGS)

format: $(DEV) ## let ruff format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock: $(DEV) ## resolve pyproject.toml anew into the lock files
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --group build-only pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --group dev pyproject.toml -o requirements-dev.lock
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --group bench pyproject.toml -o requirements-bench.lock

wheel: $(DEV) ## build the wheel into dist/
	rm -rf dist
	$(BIN)/python -m build --wheel --no-isolation --outdir dist .

package: wheel ## the agent as dist/mattermost-load-test.tar.gz, to deploy on hosts without internet
	$(BIN)/python -m mattermost_load_test.ltops.artifacts.bundling --project pyproject.toml --lock requirements.lock \
		--wheel dist/mattermost_load_test-*.whl --config loadtestconfig.json --pythons $(PYTHONS) \
		--output dist/mattermost-load-test.tar.gz

# Docker writes the times of files as they were built; the other two can leave them out, so that the image is the same each time.
image: ## build the agent's image with Docker, Podman or Buildah; IMAGE=registry.example.com/agent:1 names it
	@docker info >/dev/null 2>&1 || podman info >/dev/null 2>&1 || buildah info >/dev/null 2>&1 || { echo "make image needs a container engine, and none of \`docker info\`, \`podman info\` and \`buildah info\` reaches one: https://docs.docker.com/engine/install/ or https://podman.io/docs/installation" >&2; exit 2; }
	@$(MAKE) wheel
	$$({ docker info && echo docker build || podman info && echo podman build --timestamp 0 || echo buildah build --timestamp 0; } 2>/dev/null | tail -n 1) \
		--tag "$(IMAGE)" $(if $(PYTHON_IMAGE),--build-arg "PYTHON_IMAGE=$(PYTHON_IMAGE)") .

dashboards: $(DEV) ## make the Grafana dashboards anew from dashboards/source
	$(BIN)/python dashboards/build.py

kubernetes-tools: $(DEV) ## build what a Kubernetes cluster for the tests is made of: ten minutes, once (needs Go)
	$(BIN)/python -m tests.kubernetes.programs

clean: ## remove the virtual environment and caches
	rm -rf $(VENV) dist build .mypy_cache .ruff_cache .pytest_cache
