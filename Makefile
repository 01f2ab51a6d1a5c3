# The two commands are `make up` and `make test`; both set up what is missing first.
PYTHON ?= python3
STACK  ?= local
ACTIVE  = . .lab/activate
PYTEST  = .venv/bin/python -m pytest

.PHONY: up down setup verify status tour
.PHONY: test test-unit test-conformance test-local test-faults rehearse bench lint types setup-unit setup-test
.SILENT:

# When two run at once, one creates the stack. The other selects it and waits for Pulumi's own lock.
up: setup
	$(ACTIVE) && python -m tools.lock .lab/stack.lock pulumi stack select --create $(STACK) && \
		pulumi up --yes --skip-preview --stack $(STACK)

down: setup
	$(ACTIVE) && pulumi destroy --yes --skip-preview --stack $(STACK)

# The virtual environment and the tools; Pulumi among them where none is installed.
setup:
	$(PYTHON) -m tools.setup run

verify status tour: setup
	$(ACTIVE) && python -m lab $@ --stack $(STACK)

# Everything. The fault tier alone, whose random walks take as long as all the rest, is `make test-faults`.
test: lint types
	$(PYTEST) tests

test-unit: setup-unit
	$(PYTEST) tests/unit

test-conformance test-local test-faults: test-%: setup-test
	$(PYTEST) tests/$*

# The life of the EKS stack, and that broken programs do not get through; `make test` adds updates and interruptions.
rehearse: setup-test
	$(PYTEST) tests/rehearsal/test_rehearsal.py tests/rehearsal/test_rehearsal_planted.py

bench: setup-test
	.venv/bin/python -m benchmarks

lint: setup-unit
	.venv/bin/ruff check . && .venv/bin/ruff format --check .

types: setup-test
	.venv/bin/pyright

setup-unit setup-test: setup-%:
	$(PYTHON) -m tools.setup $*
