#!/usr/bin/env python3
"""
Everything with one command, on a machine that has Python and nothing else.

    python3 run.py demo    sets up, starts the server, learns a real text, prints a prediction and why
    python3 run.py test    sets up and passes the tests

The first call makes a virtual environment in `.venv`; later calls use it as it is, until what it was made from changes.
Standard library only: this file runs before anything is installed.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent
ENVIRONMENT = ROOT / ".venv"
OLDEST, TOO_NEW = (3, 11), (3, 14)
_SCRIPTS = "Scripts" if os.name == "nt" else "bin"


def say(text: str) -> None:
    """Print a line about what is happening."""
    print(f"==> {text}", flush=True)


def stop(text: str) -> None:
    """End with a sentence about what to do."""
    print(f"run.py: {text}", file=sys.stderr)
    raise SystemExit(1)


def fitting_python() -> str:
    """The Python to use: this one if it fits, else one on the path."""
    if OLDEST <= sys.version_info[:2] < TOO_NEW:
        return sys.executable
    for minor in range(TOO_NEW[1] - 1, OLDEST[1] - 1, -1):
        found = shutil.which(f"python3.{minor}")
        if found:
            return found
    running = ".".join(map(str, sys.version_info[:2]))
    stop(f"KATO needs Python 3.11, 3.12 or 3.13; this is {running} and no other was found. Install one of them.")
    raise AssertionError


def environment_python() -> Path:
    """The Python of the virtual environment."""
    return ENVIRONMENT / _SCRIPTS / ("python.exe" if os.name == "nt" else "python")


def make_environment() -> None:
    """Make the virtual environment, also where the system's Python lacks ensurepip but has pip."""
    python = fitting_python()
    say(f"making a virtual environment in {ENVIRONMENT.name}")
    shutil.rmtree(ENVIRONMENT, ignore_errors=True)
    if subprocess.run([python, "-m", "venv", str(ENVIRONMENT)], capture_output=True, check=False).returncode == 0:
        return
    shutil.rmtree(ENVIRONMENT, ignore_errors=True)
    bare = subprocess.run([python, "-m", "venv", "--without-pip", str(ENVIRONMENT)], capture_output=True, check=False)
    if bare.returncode == 0:
        command = [python, "-m", "pip", "--python", str(environment_python()), "install", "--quiet", "pip"]
        if subprocess.run(command, check=False).returncode == 0:
            return
    shutil.rmtree(ENVIRONMENT, ignore_errors=True)
    stop(
        "this Python cannot make virtual environments; on Debian or Ubuntu: apt install python3-venv, then run this again."
    )


def fingerprint() -> str:
    """What the environment is made from; when it changes, the environment is brought up to date."""
    digest = hashlib.sha256(f"{sys.version_info[:2]} {ROOT}".encode())
    sources = (each for each in (ROOT / "native").rglob("*") if each.is_file() and each.suffix != ".pyc")
    for source in [ROOT / "pyproject.toml", *sorted(sources)]:
        digest.update(f"{source.relative_to(ROOT)} {source.stat().st_size}\n".encode() + source.read_bytes())
    return digest.hexdigest()


def install(what: str, mark: str, *steps: list[str]) -> None:
    """Take these steps with pip, unless the environment has been through them with all as it is now."""
    python, made_from, now = environment_python(), ENVIRONMENT / mark, fingerprint()
    if python.exists() and made_from.exists() and made_from.read_text() == now:
        return
    if not python.exists():
        make_environment()
    say(f"installing {what} (a minute or two, the first time)")
    for step in steps:
        command = [str(python), "-m", "pip", "--disable-pip-version-check", "install", "--quiet", *step]
        if subprocess.run(command, check=False, cwd=ROOT).returncode != 0:
            stop("installing failed; the lines above say why. Is the network there? Run this again to go on.")
    made_from.write_text(now)


def set_up(*, tests: bool) -> Path:
    """The Python of an environment that has KATO, and what the tests need if asked for."""
    install("KATO and its native kernel", "kato-installed", ["--upgrade", "pip>=25.1"], ["--editable", str(ROOT)])
    if tests:
        install("what its tests need", "kato-tests", ["--group", f"{ROOT / 'pyproject.toml'}:test"])
    return environment_python()


def wait_until_ready(url: str, server: subprocess.Popen[bytes]) -> None:
    """Wait for the server to answer; stop when it ended instead."""
    for _ in range(300):
        if server.poll() is not None:
            stop(f"the server ended with status {server.returncode}; the lines above say why.")
        try:
            with urllib.request.urlopen(f"{url}/health/ready", timeout=2):
                return
        except OSError:
            time.sleep(0.1)
    server.terminate()
    stop("the server did not answer within 30 seconds.")


def demo(arguments: argparse.Namespace) -> int:
    """Set up, serve, learn, predict, explain."""
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", arguments.port)) == 0:
            stop(f"port {arguments.port} is taken; choose another: python3 run.py demo --port {arguments.port + 1}")
    python = set_up(tests=False)
    url = f"http://127.0.0.1:{arguments.port}"
    data = Path(arguments.data).expanduser()
    say(f"starting the server on {url}, data in {data}")
    command = [str(python), "-m", "kato", "serve", "--port", str(arguments.port), "--data", str(data)]
    server = subprocess.Popen(command, env={**os.environ, "KATO_LOG_LEVEL": "WARNING"})
    try:
        wait_until_ready(url, server)
        say("learning a slice of the King James Bible and asking what comes next")
        done = subprocess.run([str(python), str(ROOT / "examples" / "bible.py"), url], check=False)
        if done.returncode != 0:
            return done.returncode
        say(f"the API is described at {url}/docs")
        if not arguments.once:
            say("the server goes on until Ctrl-C")
            server.wait()
    except KeyboardInterrupt:
        say("stopping")
    finally:
        if server.poll() is None:
            server.terminate()
        server.wait()
    return 0


def port_number(text: str) -> int:
    """A port out of a command line."""
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 65535):
        raise argparse.ArgumentTypeError(f"must be a port from 1 to 65535, got {text!r}")
    return int(text)


def test(arguments: argparse.Namespace) -> int:
    """Set up and run the tests, the files of tests spread over the processors."""
    python = set_up(tests=True)
    say("running the tests")
    # In the order of their names, as those with the fewest tests are not the shortest: one alone would end the run.
    spread = ["-n", "logical", "--maxprocesses", "8", "--dist", "loadfile", "--no-loadscope-reorder"]
    return subprocess.run([str(python), "-m", "pytest", *spread, *arguments.pytest], cwd=ROOT, check=False).returncode


def main() -> int:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Everything with one command.")
    commands = parser.add_subparsers(required=True, metavar="demo|test")
    demonstrating = commands.add_parser("demo", help="set up, start the server, learn a real text, predict")
    demonstrating.add_argument("--port", type=port_number, default=8000, help="port of the server (8000)")
    demonstrating.add_argument("--data", default=str(ROOT / ".kato"), help="where the server keeps its data (.kato)")
    demonstrating.add_argument("--once", action="store_true", help="stop after the prediction")
    demonstrating.set_defaults(run=demo)
    testing = commands.add_parser("test", help="set up and pass the tests; takes the arguments of pytest")
    testing.set_defaults(run=test)
    arguments, rest = parser.parse_known_args()
    if arguments.run is not test and rest:
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    arguments.pytest = rest
    status: int = arguments.run(arguments)
    return status


if __name__ == "__main__":
    raise SystemExit(main())
