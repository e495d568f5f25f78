# Two commands do all: make demo, make test. Both set up a virtual environment first.
PYTHON ?= python3
VENV ?= .venv
CONSTRAINT ?= --constraint constraints.txt
BIN = $(VENV)/bin
READY = $(VENV)/.ready
NOTEBOOKS = $(wildcard notebooks/[0-9]*.ipynb)
EXECUTED = build/notebooks/.done

.PHONY: front help demo lab test fast types style collected lowest mutants reliability bench bench-check docs pictures lock clean

help:
	@echo "make demo   the main job on the embedded sandbox; leaves pages and pictures in build/demo/"
	@echo "make lab    JupyterLab on the notebooks"
	@echo "make test   lint, types and every test"
	@echo "make fast   lint, types and the unit tests, in a minute (tests/conftest.py lists what is left out)"
	@echo "make lowest the unit tests on the lowest versions that pyproject.toml allows"
	@echo "make mutants  puts small faults into the code and counts which the tests find; writes docs/mutation.md (20 minutes)"
	@echo "make reliability  all trials under faults; writes docs/reliability.md (an hour; KIMONO_SECONDS=600 ends it early)"
	@echo "make bench  times it beside other ways to do the same"
	@echo "make bench-check  measures what one waits for, and fails where that is 15 % longer than in docs/benchmarks.json"
	@echo "make docs   builds the documentation in build/site/"
	@echo "make front  builds kimono_explore/widgets/static/ of front/ (needs node 20 and npm)"
	@echo "make pictures  takes the pictures of docs/images (needs Debian's chromium)"
	@echo "make lock   renew constraints.txt"
	@echo "make clean  remove build/ and the virtual environment"

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade $(CONSTRAINT) pip
	$(BIN)/python -m pip install --quiet $(CONSTRAINT) --editable ".[lab,test,docs]"
	touch $@

demo: $(READY)
	$(BIN)/python -m kimono_explore demo --out build/demo

lab: $(READY)
	$(BIN)/jupyter lab notebooks

# Compiled once, not by each of the workers and each process that they start, also where the machine says otherwise.
test fast: export PYTHONDONTWRITEBYTECODE =

# mypy is half of the time before the tests, and knows one core; the other makes ready what each of the tests' workers needs.
test: $(READY)
	$(MAKE) --jobs=2 types style collected
	$(BIN)/python -m pytest --numprocesses auto --dist worksteal

fast: $(READY)
	$(MAKE) --jobs=2 types style collected COLLECT='-m "not slow"'
	$(BIN)/python -m pytest -m "not slow" --numprocesses auto --dist worksteal

types:
	$(BIN)/mypy

style:
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache

collected:
	$(BIN)/python -m pytest --collect-only -qqq $(COLLECT)

# Old versions warn of what newer ones changed: warnings are shown there, and are no failures.
lowest:
	$(PYTHON) -m venv --clear build/lowest
	build/lowest/bin/python -m pip install --quiet uv
	build/lowest/bin/uv pip install --quiet --python build/lowest --resolution lowest-direct --editable ".[lab,test]"
	build/lowest/bin/python -m pytest -W default -m "not slow" --numprocesses auto --dist worksteal

mutants: $(READY)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[mutation]"
	$(BIN)/python tests/mutants.py

reliability: $(READY)
	$(BIN)/python tests/reliability.py

bench: $(READY)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[bench]"
	$(BIN)/python -m benchmarks

bench-check: $(READY)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[bench]"
	$(BIN)/python -m benchmarks.waits --check

$(EXECUTED): $(READY) $(NOTEBOOKS) $(shell find kimono_explore -name "*.py")
	$(BIN)/jupyter nbconvert --execute --to notebook --log-level ERROR --output-dir build/notebooks $(NOTEBOOKS)
	touch $@

docs: $(EXECUTED)
	SOURCE_DATE_EPOCH=0 $(BIN)/mkdocs build --strict

front:
	cd kimono_explore/widgets/front && npm ci && npm run check && npm run build

pictures: $(READY)
	$(BIN)/python tests/pictures.py

lock:
	$(PYTHON) -m venv build/lock
	build/lock/bin/python -m pip install --quiet --upgrade pip
	build/lock/bin/python -m pip install --quiet --editable ".[lab,test,docs,bench,mutation]"
	build/lock/bin/python -m pip freeze --all --exclude-editable | grep -v '^kimono\|^setuptools' > constraints.txt
	rm -rf build/lock

clean:
	rm -rf build $(VENV)
