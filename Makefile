# The two commands are `make up` and `make test`; both set up what is missing first.
PYTHON ?= python3
STACK  ?= local
ACTIVE  = . .lab/activate

.PHONY: up down setup test test-unit lint types conformance test-local test-faults rehearse bench verify status tour
.SILENT:

up: setup
	$(ACTIVE) && pulumi stack select --create $(STACK) && pulumi up --yes --skip-preview --stack $(STACK)

down: setup
	$(ACTIVE) && pulumi destroy --yes --skip-preview --stack $(STACK)

setup:
	$(PYTHON) -m tools.setup run

test: setup-test lint types
	$(ACTIVE) && .venv/bin/python -m pytest tests

test-unit: setup-unit
	.venv/bin/python -m pytest tests/unit

setup-unit setup-test: setup-%:
	$(PYTHON) -m tools.setup $*

lint: setup-unit
	.venv/bin/ruff check . && .venv/bin/ruff format --check .

types: setup-test
	.venv/bin/pyright
