# The commands of daily work; `make` lists them. None is needed to use KATO.
.PHONY: help dev test openapi fuzz kernel sanitize sanitize-threads wheel check demo

help:
	@echo "make dev              set up .venv with everything the tests need"
	@echo "make test             run the tests"
	@echo "make kernel           build the native kernel again, only what changed, into .venv"
	@echo "make sanitize         the kernel's tests under AddressSanitizer and UndefinedBehaviorSanitizer"
	@echo "make sanitize-threads the kernel's stress test of threads under ThreadSanitizer"
	@echo "make wheel            a wheel in dist/ with its manylinux tag"
	@echo "make fuzz             made-up requests to every operation, EXAMPLES=300 of each, for SECONDS_AT_MOST=3600"
	@echo "make openapi          renew the reviewed description of the API, after reviewing what changed"
	@echo "make check            what CI runs: tests, coverage, types, style, import direction, the demo"
	@echo "make demo             start the server, learn a real text, print a prediction"

dev:
	python3 run.py test --collect-only -q

test:
	python3 run.py test

kernel: | .venv
	.venv/bin/python -m pip install --quiet --group kernel
	.venv/bin/python -m pip install --quiet --no-build-isolation --no-deps --editable . \
		--config-settings kernel=require --config-settings build-dir=build/kernel-{wheel_tag}

sanitize:
	native/sanitize.sh address

sanitize-threads:
	native/sanitize.sh thread

wheel:
	native/wheel.sh

.venv:
	$(MAKE) dev

check:
	bash .ci/run

demo:
	python3 run.py demo

openapi:
	.venv/bin/python tests/http/test_openapi.py
	git diff --stat tests/http/openapi.json

fuzz:
	.venv/bin/python tests/fuzz/fuzzing.py
