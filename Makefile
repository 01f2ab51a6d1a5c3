# The two commands are `make up` and `make test`; both set up what is missing first.
PYTHON ?= python3
STACK  ?= local
ACTIVE  = . .lab/activate
PYTEST  = .venv/bin/python -m pytest
# Whole modules side by side. A lab waits about half of its time, so three modules keep two cores busy.
AT_ONCE ?= 3
TOGETHER = --numprocesses=$(AT_ONCE) --dist=loadfile --no-loadscope-reorder
# The longest modules are among the first two, so that none of them is left at the end.
TIERS   = $(addprefix tests/,rehearsal docs local faults security conformance)

.PHONY: up down setup verify status watch tour
.PHONY: test test-node test-unit test-conformance test-local test-security test-faults test-thorough rehearse bench pictures lint types setup-unit setup-test
.SILENT:
# With them every Python here would be another one, or load other modules.
unexport PYTHONHOME PYTHONPATH

# When two run at once, one creates the stack. The other selects it and waits for Pulumi's own lock.
up: setup
	$(ACTIVE) && python -m tools.lock .lab/stack.lock pulumi stack select --create $(STACK) && \
		pulumi up --yes --skip-preview --stack $(STACK)

# Pulumi can report a success after a Ctrl-C that nothing was waiting at; the second command sees what is left.
down: setup
	$(ACTIVE) && pulumi destroy --yes --skip-preview --stack $(STACK) && python -m lab verify --gone --stack $(STACK)

# The virtual environment and the tools; Pulumi among them where none is installed.
setup:
	$(PYTHON) -m tools.setup run

verify status watch tour: setup
	$(ACTIVE) && python -m lab $@ --stack $(STACK)

# With the flags of tools/go_build.py, so that the tests take over what the build compiled.
test-node: setup-test
	cd tools/node && CGO_ENABLED=0 GOGC=800 GOWORK=off \
		GOFLAGS='-mod=readonly -trimpath -buildvcs=false -gcflags=all=-dwarf=false' go test ./...

# What is asked before every commit. What fails soon comes first; what takes long is left to `make test-thorough`.
test: setup-test lint
	$(PYTEST) tests/unit tests/planted
	$(MAKE) types test-node
	$(PYTEST) $(TOGETHER) -m "telling or not thorough" $(TIERS)

test-unit: setup-unit
	$(PYTEST) tests/unit

test-conformance test-local test-security: test-%: setup-test
	$(PYTEST) $(TOGETHER) tests/$*

# The whole fault tier, with its random walks; it prints a table of what was done and seen.
test-faults: setup-test
	$(PYTEST) $(TOGETHER) tests/faults

# All that `make test` leaves out.
test-thorough: setup-test
	$(PYTEST) $(TOGETHER) -m "thorough and not telling" $(TIERS)

# The life of the EKS stack, its updates and interruptions, and that broken programs do not get through.
rehearse: setup-test
	$(PYTEST) $(TOGETHER) tests/rehearsal

bench: setup-test
	.venv/bin/python -m benchmarks

# The pictures of `make watch` in README and guide.
pictures: setup-unit
	.venv/bin/python -m tests.unit.lab.watch.screenshot

lint: setup-unit
	.venv/bin/ruff check . && .venv/bin/ruff format --check . && .venv/bin/lint-imports --no-logo --no-cache

types: setup-test
	.venv/bin/pyright

setup-unit setup-test: setup-%:
	$(PYTHON) -m tools.setup $*
