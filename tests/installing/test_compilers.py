"""Whether this machine has a C++ compiler is found by using it."""

from __future__ import annotations

import os
import sys

import pytest

from kernel_build import compilers

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="on Windows CMake finds the compiler itself")

WORKING = '#!/bin/sh\nfor last; do :; done\n: > "$last"\n'
BROKEN = "#!/bin/sh\necho first >&2\necho xcode: no tools are installed >&2\nexit 1\n"


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """A machine that has these programs and no others, and a Python that was made by `gone-c++`."""
    folder = tmp_path / "programs"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.setattr(compilers.sysconfig, "get_config_var", {"CXX": "gone-c++ -pthread"}.get)

    def having(**programs):
        for name, text in programs.items():
            program = folder / name.replace("p", "+")
            program.write_text(text)
            program.chmod(0o755)
        return folder

    return having


def test_without_any_program_there_is_none(machine):
    machine()
    assert compilers.find() is None


def test_a_program_that_cannot_compile_is_passed_over(machine):
    machine(cpp=BROKEN, gpp=WORKING)
    assert compilers.find() == "g++"


def test_the_one_asked_for_comes_first_with_its_flags(machine, monkeypatch):
    folder = machine(cpp=WORKING, mine=WORKING)
    monkeypatch.setenv("CXX", f"{folder / 'mine'} -stdlib=libc++")
    assert compilers.find() == f"{folder / 'mine'} -stdlib=libc++"


def test_one_asked_for_that_does_not_work_gives_way(machine, monkeypatch):
    machine(cpp=WORKING)
    monkeypatch.setenv("CXX", "nowhere")
    assert compilers.find() == "c++"


def test_what_went_wrong_is_told_in_the_compilers_last_words(machine):
    folder = machine(cpp=BROKEN)
    assert compilers.works([str(folder / "c++")]) == "xcode: no tools are installed"
    assert "nowhere" in str(compilers.works(["nowhere"]))


def test_a_compiler_is_in_use_for_the_build_alone(monkeypatch):
    monkeypatch.setenv("CXX", "before")
    with compilers.using("during"):
        assert os.environ["CXX"] == "during"
    assert os.environ["CXX"] == "before"
