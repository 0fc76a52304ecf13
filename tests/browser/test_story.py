"""The story of a new user, from /ui alone: learn three sequences, predict, find out why, correct, undo."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Page

expect = pytest.importorskip(
    "playwright.sync_api", reason="browser tests need playwright: pip install --group browser"
).expect

MORNINGS = (
    "kettle morning\ncup tea\nwork",
    "kettle morning\ncup coffee\nnewspaper",
    "alarm\nkettle morning\ncup tea\nwalk",
)


def futures(page: Page) -> list[str]:
    """What each prediction says comes next, best first."""
    cells = page.locator("table.predictions tbody tr:not(.why) td.future")
    return [" ".join(text.split()) for text in cells.all_inner_texts()]


def test_by_mouse(tab, http):
    page = tab.open()
    page.get_by_role("link", name="Session", exact=True).click()
    page.get_by_label("Node", exact=True).fill("story by mouse")
    page.get_by_role("button", name="New session").click()
    expect(page.get_by_role("heading", name="Short-term memory")).to_be_visible()
    for number, morning in enumerate(MORNINGS):
        page.get_by_label("Observe", exact=True).fill(morning)
        page.get_by_role("button", name="Observe").click()
        expect(page.locator(".strip .event")).to_have_count(morning.count("\n") + 1)
        page.get_by_role("button", name="Learn", exact=True).click()
        expect(page.locator(".strip .event")).to_have_count(0)
        expect(page.get_by_text("known 1 time now.")).to_be_visible()
        assert len(http.get("/patterns", params={"node_id": "story by mouse"}).json()["patterns"]) == number + 1
    page.get_by_label("Observe", exact=True).fill("morning kettle\ncup biscuit")
    page.get_by_role("button", name="Observe 2 events").click()
    expect(page.locator("table.predictions tbody tr")).to_have_count(3)
    assert set(futures(page)) == {"work", "newspaper", "walk"}
    expect(page.locator(".symbol.extra", has_text="biscuit").last).to_be_visible()
    expect(page.locator("td .symbol.missing", has_text="coffee")).to_be_visible()
    tab.shoot("story-predictions")

    # why?
    place = futures(page).index("newspaper") + 1
    page.get_by_role("button", name=f"Prediction {place}: why?").click()
    expect(page.get_by_text(f"It is prediction {place} of 3")).to_be_visible()
    why = page.locator(".explanation")
    expect(why.locator("tr", has_text="expected, not observed")).to_contain_text("coffee")
    expect(why.locator("details[open] > .tree").first).to_contain_text("evidence = matches / pattern")
    tab.shoot("story-why")
    why.get_by_text("All other numbers").click()
    expect(why).to_contain_text("bayesian_prior: prior = f / F")

    # correct it
    why.get_by_role("link", name="Look at this pattern").click()
    expect(page.get_by_role("heading", name="Pattern")).to_be_visible()
    page.get_by_role("button", name="Forget…").click()
    tab.shoot("story-forget")
    page.get_by_role("dialog").get_by_role("button", name="Forget").click()
    expect(page.get_by_text("Forgot pattern")).to_be_visible()
    assert http.get("/patterns", params={"node_id": "story by mouse"}).json()["total"] == 2
    page.get_by_role("navigation", name="Screens").get_by_role("link", name="Session").click()
    expect(page.locator("table.predictions tbody tr")).to_have_count(2)

    # and undo
    page.get_by_role("button", name="Undo", exact=True).click()
    expect(page.get_by_text("Taken back.")).to_be_visible()
    assert http.get("/patterns", params={"node_id": "story by mouse"}).json()["total"] == 3
    expect(page.locator("table.predictions tbody tr")).to_have_count(3)


FOCUSED = """() => {
  const element = document.activeElement;
  return element.ariaLabel || element.labels?.[0]?.innerText || element.innerText || "";
}"""
"""The name of what has the focus."""


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def tab_to(page: Page, name: str, most: int = 80) -> None:
    """Press Tab until what has the focus bears a name."""
    for _ in range(most):
        page.keyboard.press("Tab")
        focused = page.evaluate(FOCUSED)
        if focused.strip().startswith(name):
            return
    raise AssertionError(f"nothing named {name!r} is reached by Tab")


def test_by_keyboard(tab, http):
    node = "story by keyboard"
    page = tab.open()
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    tab_to(page, "Session")
    press(page, "Enter")
    expect(page.get_by_role("button", name="New session")).to_be_visible()
    tab_to(page, "Node")
    page.keyboard.type(node)
    press(page, "Enter")
    expect(page.get_by_role("heading", name="Short-term memory")).to_be_visible()
    for morning in MORNINGS:
        tab_to(page, "Observe")
        for line in morning.split("\n"):
            page.keyboard.type(line)
            press(page, "Enter")
            expect(page.get_by_label("Observe", exact=True)).to_have_value("")
        expect(page.locator(".strip .event")).to_have_count(morning.count("\n") + 1)
        page.evaluate("document.activeElement.blur()")
        tab_to(page, "Learn")
        press(page, "Enter")
        expect(page.locator(".strip .event")).to_have_count(0)
    tab_to(page, "Observe")
    page.keyboard.type("kettle morning")
    press(page, "Shift+Enter")
    page.keyboard.type("cup biscuit")
    press(page, "Enter")
    expect(page.locator("table.predictions tbody tr")).to_have_count(3)
    tab_to(page, "Prediction 1: why?")
    press(page, "Enter")
    expect(page.get_by_text("It is prediction 1 of 3")).to_be_visible()
    tab_to(page, "Look at this pattern", most=200)
    press(page, "Enter")
    expect(page.get_by_role("button", name="Edit…")).to_be_visible()
    tab_to(page, "Edit…")
    press(page, "Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("Frequency")).to_be_focused()
    press(page, "ControlOrMeta+a")
    page.keyboard.type("5")
    press(page, "Enter")
    expect(dialog).to_have_count(0)
    expect(page.locator(".facts dd").first).to_have_text("5")
    tab_to(page, "Undo")
    press(page, "Enter")
    expect(page.get_by_text("Taken back.")).to_be_visible()
    expect(page.locator(".facts dd").first).to_have_text("1")
    tab_to(page, "Forget…")
    press(page, "Enter")
    expect(dialog).to_be_visible()
    press(page, "Escape")
    expect(dialog).to_have_count(0)
    assert http.get("/patterns", params={"node_id": node}).json()["total"] == 3
