"""The build backend: with a compiler, with one from PyPI, and without the kernel."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from kernel_build import backend, compilers, obtaining, zig

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def told(monkeypatch):
    """What the person who installs was told."""
    sentences: list[str] = []
    monkeypatch.setattr(backend, "tell", sentences.append)
    return sentences


@pytest.fixture
def machine(monkeypatch):
    """A machine with these properties."""

    def having(compiler="c++", headers=True, ziglang=True, obtainable=True):
        monkeypatch.setattr(compilers, "find", lambda: compiler)
        monkeypatch.setattr(compilers, "has_python_headers", lambda: headers)
        monkeypatch.setattr(zig, "fits_this_system", lambda: True)
        monkeypatch.setattr(zig, "is_installed", lambda: ziglang)
        monkeypatch.setattr(backend, "obtainable", lambda requirements: obtainable)
        monkeypatch.setattr(backend.scikit_build, "get_requires_for_build_wheel", lambda settings: ["cmake>=3"])

    return having


class Building:
    """Stands for scikit-build-core; `failing` is what a build of the kernel raises."""

    def __init__(self, failing=None):
        self.failing = failing
        self.settings = []

    def __call__(self, directory, settings):
        self.settings.append(settings)
        if settings.get("wheel.cmake") != "false" and self.failing:
            raise self.failing
        return "kato.whl"


def test_a_compiler_from_pypi_is_asked_for_only_where_there_is_none(machine):
    machine(compiler="g++")
    assert backend.get_requires_for_build_wheel() == ["cmake>=3"]
    machine(compiler=None)
    assert backend.get_requires_for_build_wheel() == ["cmake>=3", zig.REQUIREMENT]


@pytest.mark.parametrize("lacking", [{"headers": False}, {"compiler": None, "obtainable": False}])
def test_nothing_is_asked_for_where_the_kernel_cannot_be_built(machine, lacking):
    machine(**lacking)
    assert backend.get_requires_for_build_wheel() == []


def test_a_required_kernel_asks_for_what_it_needs_even_if_that_may_be_refused(machine):
    machine(compiler=None, obtainable=False)
    assert backend.get_requires_for_build_wheel({"kernel": "require"}) == ["cmake>=3", zig.REQUIREMENT]


def test_the_kernel_is_built_and_nothing_is_said(machine, monkeypatch, told):
    machine()
    build = Building()
    monkeypatch.setattr(backend.scikit_build, "build_wheel", build)
    assert backend.build_wheel("dist", {"kernel": "require", "build-dir": "here"}) == "kato.whl"
    assert (build.settings, told) == ([{"build-dir": "here"}], [])


@pytest.mark.parametrize(
    ("lacking", "failing", "why"),
    [
        ({"headers": False}, None, "C headers of this Python are missing"),
        ({"compiler": None, "ziglang": False}, None, "no C++ compiler was found and ziglang could not be had"),
        ({}, SystemExit(1), "its compilation failed"),
        ({}, backend.ScikitBuildError("no cmake"), "its compilation failed"),
    ],
)
def test_what_stands_in_the_way_is_said_once_and_the_package_is_built_without(
    machine, monkeypatch, told, lacking, failing, why
):
    machine(**lacking)
    build = Building(failing)
    monkeypatch.setattr(backend.scikit_build, "build_editable", build)
    assert backend.build_editable("dist", {"build-dir": "here"}) == "kato.whl"
    assert build.settings[-1] == {"build-dir": "here", "wheel.cmake": "false"}
    (sentence,) = told
    assert why in sentence
    assert "plain engine" in sentence
    with pytest.raises(SystemExit, match="native kernel was not built"):
        backend.build_editable("dist", {"kernel": "require"})


def test_a_compiler_from_pypi_that_does_not_run_is_no_compiler(machine, monkeypatch, told):
    machine(compiler=None)
    monkeypatch.setattr(zig.compilers, "works", lambda command: "Exec format error")
    build = Building()
    monkeypatch.setattr(backend.scikit_build, "build_wheel", build)
    backend.build_wheel("dist")
    assert build.settings == [{"wheel.cmake": "false"}]
    assert "the one from PyPI does not run here (Exec format error)" in told[0]


def test_an_unknown_choice_is_refused():
    with pytest.raises(SystemExit, match="must be auto, require or off, got maybe"):
        backend.build_wheel("dist", {"kernel": "maybe"})


def test_packages_that_pip_cannot_find_cannot_be_had(monkeypatch, tmp_path):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    assert not obtaining.obtainable(["a-compiler-that-nobody-wrote"])


def test_a_package_built_without_the_kernel_is_pure_python(monkeypatch, tmp_path, told):
    monkeypatch.chdir(ROOT)
    name = backend.build_wheel(str(tmp_path), {"kernel": "off"})
    assert name.endswith("-py3-none-any.whl")
    names = zipfile.ZipFile(tmp_path / name).namelist()
    assert "kato/engine/matching/plain.py" in names
    assert not [each for each in names if each.endswith((".so", ".pyd"))]
    assert told == []


def test_a_source_distribution_holds_all_that_building_takes(monkeypatch, tmp_path):
    monkeypatch.chdir(ROOT)
    name = backend.build_sdist(str(tmp_path))
    with tarfile.open(tmp_path / name) as archive:
        names = {each.partition("/")[2] for each in archive.getnames()}
    wanted = {path.relative_to(ROOT).as_posix() for path in (ROOT / "native").rglob("*.*") if path.suffix != ".pyc"}
    assert wanted | {"pyproject.toml", "LICENSE", "README.md", "src/kato/py.typed"} <= names


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="other systems have no /proc")
@pytest.mark.parametrize("to_a_file", [False, True])
def test_a_warning_reaches_the_error_stream_of_the_installer(tmp_path, to_a_file):
    """The installer keeps to itself what the build prints, and its own error stream may go to a pipe or to a file."""
    build = "from kernel_build.telling import tell; print('hidden'); tell('no kernel')"
    installer = (
        f"import subprocess, sys; subprocess.run([sys.executable, '-c', {build!r}], capture_output=True, check=True)"
    )
    log = tmp_path / "log"
    with log.open("ab") as stream:
        done = subprocess.run(
            [sys.executable, "-c", installer],
            cwd=ROOT / "native",
            stdout=subprocess.PIPE,
            stderr=stream if to_a_file else subprocess.PIPE,
            check=True,
        )
    seen = log.read_bytes() if to_a_file else done.stderr
    assert (done.stdout, seen) == (b"", b"\nWARNING: no kernel\n")
