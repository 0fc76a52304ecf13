#!/usr/bin/env bash
# The kernel's tests under sanitizers: native/sanitize.sh address|thread [pytest arguments].
#
# `address` is AddressSanitizer and UndefinedBehaviorSanitizer with the tests of engine and oracle, `thread` is ThreadSanitizer
# with the stress test of threads. The kernel is built into an environment of its own, build/sanitize-…, which borrows
# everything else from .venv. A finding ends the run with a status other than 0.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
kind=${1:-}
shift || true

case $kind in
  address) sanitizers=address,undefined libraries="libasan.so libubsan.so libstdc++.so" tests=(tests/oracle tests/engine) ;;
  thread) sanitizers=thread libraries="libtsan.so libstdc++.so"
    tests=(tests/oracle tests/engine/test_concurrency.py -k "readers or concurrency") ;;
  *) echo "usage: native/sanitize.sh address|thread [pytest arguments]" >&2; exit 2 ;;
esac
[ $# -gt 0 ] && tests=("$@")

compiler=${CXX:-g++}
if ! echo 'int main() {}' | $compiler -x c++ -fsanitize=$sanitizers - -o /dev/null; then
  echo "native/sanitize.sh: $compiler has no -fsanitize=$sanitizers; install GCC and its sanitizers, or set CXX" >&2
  exit 1
fi

python3 run.py test --collect-only -q >/dev/null
pip=(.venv/bin/python -m pip --disable-pip-version-check)
"${pip[@]}" install --quiet --group kernel

environment=$root/build/sanitize-$kind
python=$environment/bin/python
if [ ! -x "$python" ]; then
  .venv/bin/python -m venv --without-pip "$environment"
  libraries_of() { "$1" -c 'import sysconfig; print(sysconfig.get_path("purelib"))'; }
  libraries_of .venv/bin/python > "$(libraries_of "$python")/borrowed.pth"
fi
CXX=$compiler "${pip[@]}" --python "$python" install --quiet --no-build-isolation --no-deps --editable . \
  -C kernel=require -C build-dir="$environment/cmake" \
  -C cmake.build-type=RelWithDebInfo -C cmake.define.KATO_SANITIZE=$sanitizers

preloaded=
for library in $libraries; do
  preloaded+=" $($compiler -print-file-name="$library")"
done
# Python's own allocator hides errors inside its blocks, and Python takes what it allocated with it to its end.
export PYTHONMALLOC=malloc PYTHONDONTWRITEBYTECODE=1
export ASAN_OPTIONS=detect_leaks=1:detect_stack_use_after_return=1:abort_on_error=1
export LSAN_OPTIONS=suppressions=$root/native/leaks.txt:print_suppressions=0
export UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
export TSAN_OPTIONS=suppressions=$root/native/races.txt:halt_on_error=1:second_deadlock_stack=1
# ThreadSanitizer wants its memory where randomized addresses may already be.
exec setarch "$(uname -m)" -R env LD_PRELOAD="${preloaded# }" "$python" -X faulthandler -c '
import sys

import pytest
from kato.engine.matching import _kernel

if not _kernel.build_information()["sanitizers"]:
    sys.exit("native/sanitize.sh: this is not the kernel with sanitizers")
sys.exit(pytest.main(sys.argv[1:]))
' -p no:cacheprovider "${tests[@]}"
