"""
The command `kato`.

Exit codes: 0 done, 1 it failed (one sentence on standard error says why), 2 the command line was wrong, 130 stopped by
Ctrl-C.
"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from kato import KATOError, ServerUnreachable, __version__
from kato.cli import (
    backup,
    correct,
    doctor,
    explain,
    forecast,
    keys,
    nodes,
    predict,
    serve,
    top,
    train,
    transfer,
    verify,
    watch,
)
from kato.cli.files import BadFile

app = typer.Typer(
    name="kato",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"kato {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_print_version, help="Print the version and end.")
    ] = False,
) -> None:
    """A memory that observes events, learns sequences by heart and says what comes next."""


app.command()(serve.serve)
app.command()(train.train)
app.command()(predict.predict)
app.command()(forecast.forecast)
app.command()(nodes.nodes)
app.command()(explain.explain)
app.command()(correct.history)
app.command()(correct.undo)
app.command()(correct.forget)
app.command()(watch.watch)
app.command()(top.top)
app.command()(backup.backup)
app.command()(backup.restore)
app.command()(transfer.export)
app.command("import")(transfer.import_)
app.command()(verify.verify)
app.command()(verify.repair)
app.add_typer(keys.app, name="keys")
app.command()(doctor.doctor)


def main(arguments: list[str] | None = None) -> None:
    """Run a command line; ends the process with an exit code."""
    try:
        app(args=arguments, prog_name="kato")
    except ServerUnreachable as error:
        _fail(f"{error.message}. Is the server running? `kato serve` starts one")
    except (KATOError, BadFile) as error:
        _fail(getattr(error, "message", str(error)))
    except OSError as error:
        _fail(f"{error.filename or 'the system'}: {error.strerror or error}")
    except KeyboardInterrupt:
        sys.exit(130)


def _fail(sentence: str) -> None:
    sys.stderr.write(f"kato: {sentence}\n")
    sys.exit(1)
