"""
Predictions as programs get them: dictionaries, with a method that explains them.

Nothing about the dictionary differs from any other; a program that knows nothing of the method needs to know nothing of it.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterable
from typing import Any

from kato.client import explanation_text as text


class Explainable(dict[str, Any]):
    """A dictionary that can be told to a person."""

    def explanation_lines(self, levels: int = text.LEVELS) -> list[str]:
        """The explanation, line by line."""
        raise NotImplementedError

    def explain(self, levels: int = text.LEVELS) -> None:
        """
        Print how it came about: in a notebook as a picture of text that unfolds, else as lines.

        Args:
            levels: How deep the tree of the number that ranks is told in lines; 99 goes down to every count.
        """
        shell = _notebook()
        if shell is None:
            sys.stdout.write("\n".join(self.explanation_lines(levels)) + "\n")
            return
        notebook = importlib.import_module("IPython.display")  # whoever runs one has imported it already
        notebook.display(notebook.HTML(self._repr_html_()))

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        raise NotImplementedError


class Prediction(Explainable):
    """A prediction, with the members that docs/http-api.md lists."""

    def explanation_lines(self, levels: int = text.LEVELS) -> list[str]:
        """The explanation line by line; without `explain=True` what can be said without it."""
        return list(text.prediction_lines(self, levels))

    def _repr_html_(self) -> str:
        explanation = self.get("explanation")
        title = f"{self['pattern_name']} → {text.line_of(self['future'])}"
        if not explanation:
            return text.html_of(title, (), self.explanation_lines(), {})
        return text.html_of(title, explanation["alignment"], self.explanation_lines(0), explanation["metrics"])


class ExplainedPattern(Explainable):
    """What became of one pattern, with the members that docs/http-api.md lists."""

    def explanation_lines(self, levels: int = text.LEVELS) -> list[str]:
        """The explanation line by line."""
        return list(text.answer_lines(self, levels))

    def _repr_html_(self) -> str:
        explanation = (self["prediction"] or {}).get("explanation", {})
        lines = self.explanation_lines(0)
        return text.html_of(self["sentence"], self["alignment"], lines, explanation.get("metrics", {}))


def with_predictions(answer: dict[str, Any]) -> dict[str, Any]:
    """The answer, its predictions made `Prediction` wherever answers have them; the rest as it was."""
    for holder in _holders(answer):
        for name in ("predictions", "final_predictions"):
            found = holder.get(name)
            if type(found) is list:
                holder[name] = [Prediction(each) for each in found]
    if "outcome" in answer and "checks" in answer:
        if answer["prediction"] is not None:
            answer["prediction"] = Prediction(answer["prediction"])
        return ExplainedPattern(answer)
    return answer


def _holders(answer: dict[str, Any]) -> Iterable[dict[str, Any]]:
    """Where predictions may be: the answer itself, its results, what is in mind."""
    yield answer
    mind = answer.get("cognition_data")
    if type(mind) is dict:
        yield mind
    for name in ("results", "individual_results"):
        results = answer.get(name)
        if type(results) is list and results and type(results[0]) is dict and "pattern_name" not in results[0]:
            yield from (each for each in results if type(each) is dict)


def _notebook() -> Any:
    """The shell of the notebook this runs in; None anywhere else."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell if shell is not None and hasattr(shell, "kernel") else None
