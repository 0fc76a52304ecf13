"""Explanations as people read them: plain lines for a terminal, a little HTML for a notebook."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from itertools import groupby
from textwrap import wrap
from typing import Any

LEVELS = 2
"""Levels of a tree that are shown unless asked for more."""
_ALL = 99
_WIDTH = 100
_AS_IT_IS: Any = {"break_long_words": False, "break_on_hyphens": False}
_OWN = ("events", "to", "part", "parts")
"""Details of a history entry that say little to somebody who looks at one pattern."""


def prediction_lines(prediction: Mapping[str, Any], levels: int = LEVELS) -> Iterator[str]:
    """Everything about one prediction; what was not asked for is left out. `levels`: of the tree of the number that ranks."""
    yield f"{prediction['pattern_name']}, learned {_times(prediction['frequency'])}"
    yield f"  {line_of(prediction['past'])} · {line_of(prediction['present'])} · {line_of(prediction['future'])}"
    found = prediction.get("explanation")
    if found is None:
        yield from _unexplained(prediction)
        return
    yield from alignment_lines(found["alignment"])
    yield "place"
    yield from standing_lines("ranked", found["ranking"])
    yield from standing_lines("selected", found["selection"])
    yield "numbers"
    first = found["ranking"]["key"]
    trees = found["metrics"]
    for name in (*(each for each in (first,) if each in trees), *(each for each in trees if each != first)):
        yield from tree_lines(trees[name], name, depth=1, levels=levels if name == first else 0)
    if "provenance" in found:
        yield from provenance_lines(found["provenance"])


def answer_lines(answer: Mapping[str, Any], levels: int = LEVELS) -> Iterator[str]:
    """What became of one pattern when a memory asked for predictions."""
    prediction = answer["prediction"]
    yield answer["sentence"]
    yield from (f"  {'passed' if check['passed'] else 'FAILED'}  {check['sentence']}" for check in answer["checks"])
    if prediction is not None:
        yield from prediction_lines(prediction, levels)
    else:
        yield f"{answer['pattern_name']}, learned {_times(answer['pattern']['frequency'])}"
        yield from alignment_lines(answer["alignment"])
        if answer["selection"] is not None:
            yield from standing_lines("selected", answer["selection"])
    yield from provenance_lines(answer["provenance"])


def line_of(events: Sequence[Sequence[str]]) -> str:
    """Events in one line; symbols of one event are joined by +."""
    return " ".join("+".join(event) for event in events) or "-"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _unexplained(prediction: Mapping[str, Any]) -> Iterator[str]:
    yield f"  matches {' '.join(prediction['matches']) or '-'}"
    yield f"  missing {line_of([event for event in prediction['missing'] if event])}"
    yield f"  extras  {line_of([event for event in prediction['extras'] if event])}"
    yield "  ask with explain=True for its place, its numbers and where it comes from"


def alignment_lines(tokens: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """What of the pattern is past, matched, missing and so on, in order; a line for each run of one kind."""
    yield "alignment"
    for kind, run in groupby(tokens, key=lambda token: token["kind"]):
        text = run_text(list(run))
        yield from wrap(text, _WIDTH, initial_indent=f"  {kind:8}", subsequent_indent=" " * 10, **_AS_IT_IS)


def run_text(run: Sequence[Mapping[str, Any]]) -> str:
    """Tokens of one kind in a row; those of one event are joined by +."""
    events = groupby(run, key=lambda token: (token["pattern_event"], token["stm_event"]))
    return " ".join("+".join(map(aligned_text, event)) for _, event in events)


def aligned_text(token: Mapping[str, Any]) -> str:
    """One token: the symbol, or both where they differ."""
    if token["kind"] == "fuzzy":
        return f"{token['observed']} read as {token['expected']}, likeness {token['likeness']:.3g}"
    symbol = token["observed"] if token["expected"] is None else token["expected"]
    return str(symbol)


def standing_lines(verb: str, standing: Mapping[str, Any]) -> Iterator[str]:
    """A place, and what stands next to it."""
    yield f"  {verb} {standing['place']} of {standing['of']} by {standing['key']}, {standing['value']:.6g}"
    for side, word in (("above", "beaten by"), ("below", "beats")):
        other = standing[side]
        if other is not None:
            yield f"    {word} {other['pattern_name']}, {other['value']:.6g}: {other['decided_by']} decides"


def tree_lines(tree: Mapping[str, Any], name: str = "", *, depth: int = 0, levels: int = LEVELS) -> Iterator[str]:
    """A number and what it means, and indented below it so many levels of the numbers it was made of."""
    label = f"{name:30}" if name else ""
    yield f"{'  ' * depth}{label}{tree['value']:<12.6g}{tree['reason']}"
    if levels:
        for part in tree["parts"]:
            yield from tree_lines(part, depth=depth + 1, levels=levels - 1)
    elif tree["parts"] and not name:
        yield f"{'  ' * (depth + 1)}… made of {_numbers_below(tree)} more numbers: explain(levels={_ALL}) shows them"


def _numbers_below(tree: Mapping[str, Any]) -> int:
    return len(tree["parts"]) + sum(map(_numbers_below, tree["parts"]))


def provenance_lines(provenance: Mapping[str, Any]) -> Iterator[str]:
    """How the pattern became what it is, the newest first."""
    total = provenance["total"]
    yield f"where it comes from: {'' if provenance['total_is_exact'] else 'more than '}{total} change{'s' * (total != 1)}"
    for entry in provenance["entries"]:
        yield f"  {entry_text(entry)}"
    if provenance["has_more"]:
        yield "  … and older ones: get_history(pattern=…) goes on"


def entry_text(entry: Mapping[str, Any]) -> str:
    """One change: when, what, in which session, by whom, with what."""
    parts = [f"{entry['sequence']:>6}  {entry['at'][:19].replace('T', ' ')}  {entry['operation']}"]
    if entry["session_id"] is not None:
        parts.append(f"in {entry['session_id']}")
    if entry["actor"] is not None:
        parts.append(f"by {entry['actor']}")
    details = entry["details"]
    if "to" in details:
        parts.append(f"back to {details['to']}")
    parts += [f"{name} {value}" for name, value in details.items() if name not in _OWN]
    return ", ".join(parts)


# --- HTML ---

_COLOURS = {
    "past": "color:#777",
    "match": "font-weight:bold",
    "fuzzy": "font-weight:bold;text-decoration:underline dotted",
    "missing": "color:#b3261e;text-decoration:line-through",
    "extra": "color:#8a5a00",
    "future": "color:#1b6e3c",
}


def html_of(title: str, tokens: Sequence[Mapping[str, Any]], lines: Sequence[str], trees: Mapping[str, Any]) -> str:
    """A title, the tokens in order with their kinds, the numbers as trees that unfold, and all else. All of it is text."""
    runs = "".join(
        f'<span style="display:inline-block;margin:0 .8em .4em 0;vertical-align:top"><small style="color:#777">{kind}</small><br>'
        f'<span style="{_COLOURS[kind]}">{escape(run_text(list(run)))}</span></span>'
        for kind, run in groupby(tokens, key=lambda token: token["kind"])
    )
    numbers = "".join(_tree_html(tree, f"{name} ") for name, tree in trees.items())
    return (
        f"<div><p><b>{escape(title)}</b></p><p>{runs}</p>"
        + (f"<details><summary>numbers</summary>{numbers}</details>" if numbers else "")
        + f"<details><summary>why</summary><pre>{escape(chr(10).join(lines))}</pre></details></div>"
    )


def _tree_html(tree: Mapping[str, Any], name: str = "") -> str:
    """A number, and folded below it what it was made of."""
    line = f"{escape(name)}<b>{tree['value']:.6g}</b> <span>{escape(tree['reason'])}</span>"
    if not tree["parts"]:
        return f'<div style="margin-left:1.2em">{line}</div>'
    parts = "".join(map(_tree_html, tree["parts"]))
    return f'<details style="margin-left:1.2em"><summary>{line}</summary>{parts}</details>'
