"""The notebooks run from the first cell to the last, as they lie in examples/."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"


def run(notebook: Path) -> list[object]:
    """Run the code cells in one namespace, as a notebook would; the values of those that end in one."""
    pytest.importorskip("matplotlib").use("Agg")
    cells = json.loads(notebook.read_text("utf-8"))["cells"]
    namespace: dict[str, object] = {"__name__": "__main__"}
    shown = []
    for number, cell in enumerate(cells, 1):
        if cell["cell_type"] != "code":
            continue
        assert cell["outputs"] == [], "what running a notebook gave does not belong into git"
        parsed = ast.parse("".join(cell["source"]))
        last = parsed.body.pop() if isinstance(parsed.body[-1], ast.Expr) else None
        exec(compile(parsed, f"{notebook.name}, cell {number}", "exec"), namespace)
        if last is not None:
            value = eval(compile(ast.Expression(last.value), f"{notebook.name}, cell {number}", "eval"), namespace)
            shown.append(value)
    return shown


@pytest.mark.parametrize(("name", "needs"), [("next-words", "pandas"), ("next-clicks", "polars")])
def test_a_notebook_runs(name: str, needs: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip(needs)
    plt = pytest.importorskip("matplotlib.pyplot")
    monkeypatch.chdir(EXAMPLES)
    shown = run(EXAMPLES / f"{name}.ipynb")
    assert any(hasattr(value, "columns") and len(value) > 0 for value in shown)
    assert len(plt.get_fignums()) == 2
    plt.close("all")


def test_the_clicks_are_those_the_script_makes(capsys: pytest.CaptureFixture[str]) -> None:
    script = EXAMPLES / "make_clicks.py"
    exec(compile(script.read_text("utf-8"), str(script), "exec"), {"__name__": "__main__"})
    assert capsys.readouterr().out == (EXAMPLES / "clicks.dat").read_text("utf-8")
