"""`kato doctor` tells the truth about the native kernel: how it was built, that it is missing, that it is broken."""

from __future__ import annotations

import importlib.util
import json
import sys

import pytest

import kato.engine.matching
from kato import Kato
from kato.cli import kernel
from kato.cli.main import main
from kato.engine.matching import choose

NAME = "kato.engine.matching._kernel"


@pytest.fixture
def doctor(capsys, tmp_path):
    """Call the doctor: (exit code, report, text)."""

    def go():
        outputs = []
        for extra in (["--json"], []):
            with pytest.raises(SystemExit) as ended:
                main(["doctor", "--data", str(tmp_path / "memory"), *extra])
            outputs.append(capsys.readouterr().out)
        return ended.value.code or 0, json.loads(outputs[0]), " ".join(outputs[1].split())

    return go


@pytest.fixture
def without_kernel(monkeypatch):
    """An installation that has no kernel."""
    monkeypatch.setitem(sys.modules, NAME, None)
    monkeypatch.delattr(kato.engine.matching, "_kernel", raising=False)


def test_the_doctor_says_by_what_the_kernel_was_built(doctor):
    native = pytest.importorskip(NAME)
    code, report, text = doctor()
    assert code == 0
    assert report["native_kernel"] == native.build_information()
    assert f"built by {native.build_information()['compiler']} for" in text
    assert report["engine"] == ("plain" if choose(None) is choose("plain") else "native")


def test_the_kernel_is_built_so_that_doubles_stay_exact():
    flags = pytest.importorskip(NAME).build_information()["flags"]
    assert flags.rindex("-ffp-contract=off") > flags.find("-ffp-contract=fast")
    assert "-fno-builtin-pow" in flags


def test_without_the_kernel_the_doctor_says_so_and_the_plain_engine_serves(doctor, without_kernel):
    code, report, text = doctor()
    assert (code, report["native_kernel"], report["engine"]) == (0, None, "plain")
    assert "native_kernel none" in text
    assert "warning: the native kernel is missing" in text
    with Kato(":memory:") as memory:
        memory.create_session("n")
        memory.observe(["a"])
        memory.observe(["b"])
        memory.learn()
        memory.observe(["a"])
        memory.observe(["b"])
        assert memory.get_predictions()["count"] == 1


def test_asking_for_a_kernel_that_is_missing_is_refused_with_a_sentence(doctor, without_kernel, monkeypatch):
    monkeypatch.setenv("KATO_ENGINE", "native")
    code, report, text = doctor()
    assert (code, report["engine"]) == (1, None)
    assert "KATO_ENGINE must be plain, because this build has no native kernel" in text


def test_a_kernel_that_cannot_be_loaded_is_a_problem_not_a_fallback(doctor, without_kernel, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object())
    code, report, text = doctor()
    assert (code, report["native_kernel"], report["engine"]) == (1, None, None)
    assert "wrong: the native kernel is there but cannot be loaded" in text


def test_sanitizers_are_named():
    build = dict.fromkeys(["compiler", "system", "python", "build_type", "flags"], "x") | {"sanitizers": "thread"}
    assert kernel.described(build).endswith("with sanitizers: thread")
