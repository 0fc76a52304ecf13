"""
Pictures of predictions, drawn by matplotlib: `pip install kato[plot]`.

Every function draws on the axes it is given, or makes some, and returns them. Colours say what the page says: matched, missing
(expected, not observed), extra (observed, not expected).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MATCHED, MISSING, EXTRA, OTHER = "#0b6e69", "#a3271d", "#7a5200", "#5a635f"
_LONGEST = 18
Events = Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class Word:
    """One symbol of a drawn row: in which column, and what it is (`match`, `missing`, `extra`, `past`, `future`)."""

    column: int
    text: str
    kind: str


def lay_out(stm: Events, prediction: Mapping[str, Any]) -> list[Word]:
    """
    Where the symbols of a prediction stand when its present is laid under the memory it matches.

    Column 0 is the memory's first event; the past has columns below it, the future those after the memory's last. What matched
    is the memory without the extras and the present without what is missing: equally many, in the same order, so the n-th of
    one belongs to the n-th of the other. An event of the pattern stands where its first match stands, one without any where
    the event before it stands.
    """
    observed = [
        (column, symbol)
        for column, event in enumerate(stm)
        for symbol in _without(event, prediction["extras"][column] if column < len(prediction["extras"]) else ())
    ]
    past, future = prediction["past"], prediction["future"]
    words = [Word(number - len(past), symbol, "past") for number, event in enumerate(past) for symbol in event]
    column, taken = (observed[0][0] if observed else 0), 0
    for event, missing in zip(prediction["present"], prediction["missing"], strict=True):
        kept = _without(event, missing)
        if kept:
            column = observed[taken][0]
            taken += len(kept)
        words += [Word(column, symbol, "match") for symbol in kept]
        words += [Word(column, symbol, "missing") for symbol in missing]
    words += [Word(at, symbol, "extra") for at, event in enumerate(prediction["extras"]) for symbol in event]
    words += [Word(len(stm) + number, symbol, "future") for number, event in enumerate(future) for symbol in event]
    return words


def _without(event: Sequence[str], gone: Sequence[str]) -> list[str]:
    rest, kept = list(gone), []
    for symbol in event:
        if symbol in rest:
            rest.remove(symbol)
        else:
            kept.append(symbol)
    return kept


def alignment(
    answer: Mapping[str, Any] | Sequence[Mapping[str, Any]], stm: Events, *, most: int = 8, ax: Axes | None = None
) -> Axes:
    """
    Draw how predictions lie on the memory they were made from: a row each, the best on top, the memory above them.

    Args:
        answer: Of get_predictions, or its `predictions`.
        stm: The memory, as `get_stm()["stm"]` has it.
        most: Rows at most.
        ax: Where to draw; new axes when None.
    """
    predictions = _predictions(answer)[:most]
    drawn = [lay_out(stm, each) for each in predictions]
    columns = [word.column for row in drawn for word in row] + [0, max(0, len(stm) - 1)]
    height = len(predictions) + 1
    axes = _axes(ax, (1.6 * (max(columns) - min(columns) + 1) + 1.5, 0.8 * height + 0.6))
    for column, event in enumerate(stm):
        _write(axes, column, 0, event, ["past"] * len(event))
        axes.axvspan(column - 0.5, column + 0.5, color=MATCHED, alpha=0.06, lw=0)
    for row, words in enumerate(drawn, 1):
        for column in sorted({word.column for word in words}):
            here = [word for word in words if word.column == column]
            _write(axes, column, row, [word.text for word in here], [word.kind for word in here])
    axes.set_xlim(min(columns) - 0.6, max(columns) + 0.6)
    axes.set_ylim(height - 0.4, -0.6)
    axes.set_yticks(range(height), ["memory", *(f"{each['potential']:.3g}" for each in predictions)])
    axes.set_ylabel("potential")
    axes.set_xticks([])
    axes.spines[:].set_visible(False)
    axes.axhline(0.5, color=OTHER, lw=0.6)
    return axes


def _write(axes: Axes, column: int, row: int, texts: Sequence[str], kinds: Sequence[str]) -> None:
    colours = {"match": MATCHED, "missing": MISSING, "extra": EXTRA}
    signs = {"missing": "−", "extra": "+"}
    step = 0.8 / max(1, len(texts))
    for number, (text, kind) in enumerate(zip(texts, kinds, strict=True)):
        shown = signs.get(kind, "") + (text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…")
        axes.text(
            column,
            row - 0.4 + step * (number + 0.5),
            shown,
            ha="center",
            va="center",
            color=colours.get(kind, OTHER),
            fontsize=8,
            parse_math=False,
        )


def distribution(answer: Mapping[str, Any], *, of: str = "futures", most: int = 12, ax: Axes | None = None) -> Axes:
    """
    Draw what comes next: a bar for each future, or each symbol to come, as long as its potential.

    Args:
        answer: Of get_predictions.
        of: "futures" (`future_potentials`) or "symbols" (`symbol_potentials`).
        most: Bars at most, the highest first.
        ax: Where to draw; new axes when None.

    Raises:
        ValueError: `of` is neither.
    """
    if of == "futures":
        found = [
            (" → ".join(" ".join(event) for event in each["future"]), each["aggregate_potential"])
            for each in answer["future_potentials"]
        ]
    elif of == "symbols":
        found = [(each["symbol"], each["total_potential"]) for each in answer["symbol_potentials"]]
    else:
        raise ValueError(f'There is a distribution of "futures" and of "symbols", none of {of!r}')
    bars = found[:most]
    axes = _axes(ax, (7.0, 0.35 * len(bars) + 0.9))
    axes.barh(range(len(bars)), [value for _, value in bars], color=MATCHED)
    labels = [text if len(text) <= 3 * _LONGEST else text[: 3 * _LONGEST - 1] + "…" for text, _ in bars]
    axes.set_yticks(range(len(bars)), labels, parse_math=False)
    axes.invert_yaxis()
    axes.set_xlabel("potential")
    axes.spines[["top", "right"]].set_visible(False)
    return axes


def _predictions(answer: Mapping[str, Any] | Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    if isinstance(answer, Mapping):
        found: Sequence[Mapping[str, Any]] = answer["predictions"]
        return found
    return answer


def _axes(ax: Axes | None, size: tuple[float, float]) -> Axes:
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    return plt.subplots(figsize=size, layout="constrained")[1]
