# Two commands do everything: `make demo` and `make test`. Both work again, and offline once .venv is there.
# Everything is named relative to this folder: its own path may hold spaces and any other characters.
.DELETE_ON_ERROR:
.PHONY: demo test check bench lint clean
SHELL := /bin/bash
PYTHON ?= python3
WORKERS ?= $(shell nproc 2>/dev/null || echo 2)
ECERT := .venv/bin/python -m autograder
# Between them every kind of value and trouble: exact integers, state, gradients, tensors, tables.
DEMO := mobilenet normalization rnn_bptt attention td_learning

demo: .venv/ready bubblewrap
	$(ECERT) demo demo $(DEMO:%=--topic %)

# A file is one process's: it makes its cohort once.
test: .venv/ready bubblewrap
	.venv/bin/python -m pytest -n $(WORKERS) --dist loadfile $(TESTS)

check: .venv/ready
	$(ECERT) check

bench: .venv/ready bubblewrap
	.venv/bin/python benchmarks/throughput.py

lint: .venv/ready
	.venv/bin/ruff check .
	.venv/bin/ruff format --check autograder reference tests benchmarks
	.venv/bin/mypy

clean:
	rm -rf demo .pytest_cache .mypy_cache .ruff_cache .hypothesis

.venv/ready: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo 'Python 3.11 or later is needed; name it with: make PYTHON=python3.12'; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { $(call system,python3-venv) && $(PYTHON) -c 'import ensurepip, venv'; }
	test -x .venv/bin/python || $(PYTHON) -m venv .venv
	PIP_CONSTRAINT=constraints.txt .venv/bin/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch .venv/ready

.PHONY: bubblewrap
bubblewrap:
	@command -v bwrap >/dev/null || { $(call system,bubblewrap) && command -v bwrap >/dev/null; }

# Install a package of the system's where that may be done; else say in one line what to run.
define system
if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then (apt-get install -y -q $(1) || { apt-get update -q && apt-get install -y -q $(1); }) >&2; \
elif command -v apt-get >/dev/null && sudo -n true 2>/dev/null; then (sudo -n apt-get install -y -q $(1) || { sudo -n apt-get update -q && sudo -n apt-get install -y -q $(1); }) >&2; \
else echo '$(1) is missing; install it with: sudo apt-get install $(1)' >&2; false; fi
endef
