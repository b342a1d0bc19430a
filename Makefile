# Everything a person types: `make lab` and `make test` do all the set-up themselves, once.
PYTHON ?= python3
VENV := .venv/bin
COMPILE := $(VENV)/uv pip compile --quiet --upgrade --universal --python-version 3.10 --no-annotate --no-header
# The Node.js of .venv, never the machine's.
export PATH := $(CURDIR)/.venv/bin:$(CURDIR)/node_modules/.bin:$(PATH)

.DEFAULT_GOAL := help
.PHONY: help lab test check format bench docs lock set-up set-up-test clean

help: ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

lab: set-up ## run Lab 15.1 end to end on the embedded emulator
	@$(VENV)/lab run sqs-lambda

# Three, on two cores too: the tests with the emulator mostly wait.
test: set-up-test ## run every test, with the emulator, and without an AWS account
	@$(VENV)/python -m pytest --numprocesses 3 --dist loadgroup --no-loadscope-reorder $(ARGS)

check: set-up-test ## format, lint and types
	@$(VENV)/ruff format --check .
	@$(VENV)/ruff check .
	@$(VENV)/mypy

format: set-up-test ## write the format that `make check` asks for
	@$(VENV)/ruff format .
	@$(VENV)/ruff check --fix .

bench: set-up-test ## compare with the alternatives, in ratios
	@$(VENV)/python -m benchmarks

docs: set-up-test ## write the pages and pictures that come from code
	@$(VENV)/python -m docs.graphql_client
	@$(VENV)/python -m docs

lock: set-up ## pin the newest versions that pyproject.toml permits
	@$(COMPILE) pyproject.toml --extra lab --extra kubernetes -o requirements.txt
	@$(COMPILE) --group dev -c requirements.txt -o requirements-dev.txt
	@for group in emulator postgresql lambda-runtime checkov codegen sam; do \
		$(COMPILE) --group $$group -o requirements-$$group.txt || exit 1; done

set-up:
	@$(PYTHON) set_up.py

set-up-test:
	@$(PYTHON) set_up.py test

clean: ## remove what set-up and the lab made, the emulator's state too
	@if [ -x $(VENV)/lab ]; then $(VENV)/lab reset --yes || true; fi
	rm -rf .venv .environments node_modules cdk.out .lab .pytest_cache .mypy_cache .ruff_cache .hypothesis
