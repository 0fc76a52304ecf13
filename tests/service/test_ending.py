"""Programs that end with a memory still open."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import weakref

import pytest

from kato import Kato

LEFT_OPEN = """
import sys
from kato import Kato

def work(place):
    kato = Kato(place)
    kato.create_session("node")
    kato.observe(["a"]); kato.observe(["b"]); kato.learn(); kato.observe(["a"])
    print(kato.get_predictions()["count"])
    return kato

held = work(sys.argv[1] + "/held")
held.learn_many([[["a"], [str(number)], [str(number % 7)], ["b"]] for number in range(3000)], "node")
held.get_forecast()  # sets about a self-test that goes on beyond the end
work(sys.argv[1] + "/let-go-of")
"""
FORKED = """
import os, sys
from kato import Kato
kato = Kato(sys.argv[1])
kato.learn_many([[["a"], ["b"]]], "node")
child = os.fork()
if child:
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    kato.learn_many([[["a"], ["b"]]], "node")
"""


@pytest.mark.parametrize("ending", ["", "sys.exit(3)", "raise KeyError"])
def test_a_memory_left_open_is_closed_when_the_program_ends(tmp_path, ending):
    ended = subprocess.run(
        [sys.executable, "-c", LEFT_OPEN + ending, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert ended.stdout == "1\n1\n"
    assert ended.stderr == "" or ending == "raise KeyError"
    assert "leaked" not in ended.stderr
    for place, patterns in (tmp_path / "held", 3001), (tmp_path / "let-go-of", 1):
        assert not (place / "kato.db-wal").exists()
        with Kato(place) as kato:
            assert kato.list_patterns("node")["total"] == patterns


def test_a_memory_that_nobody_holds_is_not_kept_for_the_end():
    kato = Kato(":memory:")
    kato.learn_many([[["a"], ["b"]]], "node")
    kept, nodes = weakref.ref(kato), weakref.ref(kato.system.nodes)
    del kato
    gc.collect()
    assert (kept(), nodes()) == (None, None)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes do not fork here")
def test_a_forked_process_that_ends_leaves_its_parents_memory_alone(tmp_path):
    ended = subprocess.run(
        [sys.executable, "-c", FORKED, str(tmp_path)], capture_output=True, text=True, check=False, timeout=60
    )
    assert ended.stdout == "0\n"
    with Kato(tmp_path) as kato:
        assert kato.list_patterns("node")["patterns"][0]["frequency"] == 2
