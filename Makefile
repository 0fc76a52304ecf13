# The commands of daily work; `make` lists them. None is needed to use KATO.
.PHONY: help dev test check demo openapi fuzz

help:
	@echo "make dev      set up .venv with everything the tests need"
	@echo "make test     run the tests"
	@echo "make check    what CI runs: tests, coverage, types, style, import direction, the demo"
	@echo "make fuzz     made-up requests to every operation, EXAMPLES=300 of each, for SECONDS_AT_MOST=3600"
	@echo "make openapi  renew the reviewed description of the API, after reviewing what changed"
	@echo "make demo     start the server, learn a real text, print a prediction"

dev:
	python3 run.py test --collect-only -q

test:
	python3 run.py test

check:
	bash .ci/run

demo:
	python3 run.py demo

openapi:
	.venv/bin/python tests/http/test_openapi.py
	git diff --stat tests/http/openapi.json

fuzz:
	.venv/bin/python tests/fuzz/fuzzing.py
