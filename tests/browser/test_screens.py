"""Every screen at both widths, light and dark: no console error, nothing beyond the page's edge, no violation that axe finds."""

from __future__ import annotations

from importlib.resources import files
from urllib.parse import quote

import pytest

from browser.watched import Watched

REASON = "browser tests need playwright and axe-playwright-python: pip install --group browser"
expect = pytest.importorskip("playwright.sync_api", reason=REASON).expect
pytest.importorskip("axe_playwright_python", reason=REASON)

NODE = "a shop / küche & co"
AXE = (files("axe_playwright_python") / "axe.min.js").read_text("utf-8")
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


@pytest.fixture(scope="module")
def shown(server):
    """A node with everything a screen can show, and a session of it. Returns addresses by screen."""
    import httpx2

    with httpx2.Client(base_url=server.url, timeout=30) as http:

        def post(path, body=None):
            answer = http.post(path, json=body)
            assert answer.status_code == 200, answer.text
            return answer.json()

        session = post("/sessions", {"node_id": NODE})["session_id"]
        names = []
        for words in (
            "kettle cup work",
            "kettle cup newspaper tram work",
            "alarm shower kettle toast work",
            "alarm cup walk",
        ):
            for word in words.split():
                post(
                    f"/sessions/{session}/observe",
                    {
                        "strings": [word, "morning"],
                        "emotives": {"joy": len(word) / 10},
                        "metadata": {"room": "kitchen"},
                    },
                )
            names.append(post(f"/sessions/{session}/learn")["pattern_name"])
        for name in names:
            post(f"/sessions/{session}/observe", {"strings": [name]})
        post(f"/sessions/{session}/learn")
        post(f"/sessions/{session}/observe", {"vectors": [[0.1, 0.2, 0.3]], "strings": ["seen"]})
        post(f"/sessions/{session}/observe", {"vectors": [[0.3, 0.2, 0.1]]})
        post(f"/sessions/{session}/learn")
        http.patch(f"/pattern/{quote(names[0])}", params={"node_id": NODE}, json={"frequency": 12})
        for word in ("kettle", "cup", "biscuit"):
            post(f"/sessions/{session}/observe", {"strings": [word, "morning"]})
    node = quote(NODE, safe="")
    pattern = quote(names[1], safe="")
    return {
        "overview": "",
        "sessions": "#/session",
        "session": f"#/session/{session}",
        "patterns": f"#/node/{node}",
        "large": "#/node/large",
        "symbols": f"#/node/{node}/symbols",
        "vectors": f"#/node/{node}/vectors",
        "history": f"#/node/{node}/history",
        "pattern": f"#/node/{node}/pattern/{pattern}",
        "ensemble": f"#/ensemble/{session}",
        "hierarchy": f"#/hierarchy/{node}",
        "operations": "#/operations",
    }


SCREENS = (
    *("overview", "sessions", "session", "patterns", "large", "symbols"),
    *("vectors", "history", "pattern", "ensemble", "hierarchy", "operations"),
)


def settle(page, screen):
    """Wait until a screen shows what it asked for."""
    expect(page.locator("h1")).to_be_visible()
    expect(page.locator(".connection")).to_have_text("Live")
    page.wait_for_load_state("networkidle")
    if screen == "session":
        page.get_by_role("button", name="Prediction 1: why?").click()
        expect(page.get_by_text("It is prediction 1 of")).to_be_visible()
        page.get_by_text("All other numbers").click()
        page.locator(".forecast summary").first.click()
        expect(page.locator(".voices").first).to_be_visible()
    if screen == "hierarchy":
        page.locator(".unfolding button").first.click()
        expect(page.locator(".unfolded").first).to_be_visible()
    if screen == "operations":
        latency = page.get_by_role("region", name="Latency by route")
        expect(latency.get_by_text("GET /health")).to_be_visible()
        assert latency.evaluate("each => each.scrollWidth <= each.clientWidth"), "latencies are out of sight"
        expect(latency).not_to_contain_text("GET /ui")
    expect(page.locator(".trouble")).to_have_count(0)


CUT = """() => [...document.querySelectorAll(".scroll:not(:has(.predictions))")]
  .filter((each) => each.scrollWidth > each.clientWidth).map((each) => each.ariaLabel)"""
"""A picture of predictions lies under the memory, event under event, and is as wide as it is long."""
ALIKE = ["tbody tr:nth-child(n+9)", ".voices li:nth-child(n+4)", "details > .tree:nth-of-type(n+6)"]
"""Rows of one table are made alike, and so are voices and numbers: of many the first few are looked at."""
LOOK = """([where, rules]) => axe.run(where, {...rules, resultTypes: ["violations"]}).then((found) =>
  found.violations.map(({ id, help, nodes }) => `${id}: ${help}: ` + nodes.slice(0, 3).map(({ html }) => html).join("; ")))"""
"""Only what is wrong leaves the page: all that axe looked at is megabytes."""


def violations(page, rules, within="html"):
    """What axe finds, a sentence each."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE)
    return page.evaluate(LOOK, [{"include": [within], "exclude": ALIKE}, rules])


@pytest.mark.parametrize(("width", "schemes"), [(1280, ("light", "dark")), (390, ("dark", "light"))])
@pytest.mark.parametrize("screen", SCREENS)
def test_a_screen_is_whole(chromium, server, shown, screen, width, schemes):
    tab = Watched(chromium, server.url, width=width, scheme=schemes[0])
    try:
        page = tab.open(shown[screen])
        settle(page, screen)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, "the page is wider than the window"
        if width == 390:
            assert page.evaluate(CUT) == [], "tables that are wider than the window"
        assert violations(page, RULES) == []
        tab.shoot(f"{screen}-{width}-{schemes[0]}")
        page.emulate_media(color_scheme=schemes[1])
        assert violations(page, {"runOnly": {"type": "rule", "values": ["color-contrast"]}}) == []
        tab.shoot(f"{screen}-{width}-{schemes[1]}")
        assert tab.wrong == []
    finally:
        tab.context.close()


def test_the_dialogs_are_whole(tab, shown):
    page = tab.open(shown["pattern"])
    for button in ("Edit…", "Forget…"):
        page.get_by_role("button", name=button).click()
        expect(page.get_by_role("dialog")).to_be_visible()
        assert violations(page, RULES, "dialog") == []
        tab.shoot(f"dialog-{button[:4].lower()}")
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)
        expect(page.get_by_role("button", name=button)).to_be_focused()


def test_a_large_node_is_searched_and_sorted(tab):
    page = tab.open("#/node/large")
    expect(page.get_by_text("100,000 patterns")).to_be_visible()
    page.get_by_label("Search").fill("n77777")
    expect(page.locator(".paging").get_by_text("1 pattern", exact=True)).to_be_visible()
    expect(page.locator("tbody tr")).to_have_count(1)
    page.get_by_label("Search").fill("")
    expect(page.locator("tbody tr")).to_have_count(25)
    page.get_by_role("button", name="Symbols").click()
    expect(page.locator("th[aria-sort=descending]")).to_contain_text("Symbols")
    page.get_by_role("button", name="Next page").click()
    page.get_by_role("button", name="Previous page").click()
    expect(page.get_by_role("button", name="Previous page")).to_have_count(0)
    page.get_by_role("link", name="Symbols").click()
    expect(page.locator("tbody tr")).to_have_count(25)
    page.get_by_label("Search").fill("step7")
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page.locator("tbody tr")).to_contain_text("100,000")


def test_predictions_out_of_a_large_node(tab):
    page = tab.open("#/session")
    page.get_by_label("Node", exact=True).fill("large")
    page.get_by_role("button", name="New session").click()
    page.get_by_label("Observe", exact=True).fill("n4711\nw14 step1")
    page.get_by_role("button", name="Observe 2 events").click()
    rows = page.locator("table.predictions tbody tr")
    expect(rows).to_have_count(20)
    page.get_by_label("Recall threshold").fill("0.9")
    expect(page.get_by_text("No pattern is similar enough")).to_be_visible()
    page.get_by_label("Recall threshold").fill("0.1")
    expect(rows).to_have_count(20)
    page.get_by_label("At most").fill("7")
    expect(rows).to_have_count(7)
    page.get_by_label("Ranked by").select_option("similarity")
    expect(page.locator("table.predictions thead th").first).to_have_text("similarity")


def test_what_another_program_observes_appears_by_itself(tab, http):
    session = http.post("/sessions", json={"node_id": "watched"}).json()["session_id"]
    page = tab.open(f"#/session/{session}")
    expect(page.locator(".connection")).to_have_text("Live")
    expect(page.get_by_text("Empty. Observe something below.")).to_be_visible()
    http.post(f"/sessions/{session}/observe", json={"strings": ["from elsewhere"]})
    expect(page.locator(".strip .event")).to_have_text("from elsewhere")
    http.post(f"/sessions/{session}/observe", json={"strings": ["again"]})
    http.post(f"/sessions/{session}/learn")
    expect(page.locator(".strip .event")).to_have_count(0)
    page.get_by_role("link", name="Overview").click()
    expect(page.get_by_role("img", name="1 pattern learned").first).to_be_visible()


def test_what_another_program_corrects_appears_by_itself(tab, http):
    """Edits, forgets and undoings of others, on the screens of the node, of the pattern, of its history and of a session."""
    node = "corrected elsewhere"
    session = http.post("/sessions", json={"node_id": node}).json()["session_id"]
    learned = http.post(f"/nodes/{node}/learn", json={"sequences": [[["a"], ["b"]], [["a"], ["c"]]]}).json()
    name, other = (each["pattern_name"] for each in learned["results"])
    http.post(f"/sessions/{session}/observe", json={"strings": ["a"]})
    place, about = f"/pattern/{quote(name)}", {"node_id": node}
    page = tab.open(f"#/node/{quote(node)}/pattern/{quote(name)}")
    expect(page.locator(".connection")).to_have_text("Live")
    expect(page.locator(".facts dd").first).to_have_text("1")
    http.patch(place, params=about, json={"frequency": 12})
    expect(page.locator(".facts dd").first).to_have_text("12")
    page.goto(f"{tab.url}/ui#/node/{quote(node)}/history")
    expect(page.locator("tbody tr")).to_have_count(3)
    http.post(f"/nodes/{node}/undo", json={"count": 1})
    expect(page.locator("tbody tr").first).to_contain_text("undone")
    page.goto(f"{tab.url}/ui#/session/{session}")
    expect(page.locator("table.predictions tbody tr")).to_have_count(2)
    http.delete(f"/pattern/{quote(other)}", params=about)
    expect(page.locator("table.predictions tbody tr")).to_have_count(1)
    expect(page.locator(".forecast summary")).to_have_count(2)
    page.goto(f"{tab.url}/ui#/node/{quote(node)}")
    expect(page.locator("tbody tr")).to_have_count(1)
    http.post(f"/nodes/{node}/undo", json={"count": 1})
    expect(page.locator("tbody tr")).to_have_count(2)


def test_a_forecast_says_how_likely_on_whose_word_and_how_new_it_is(tab, http):
    node = "foretold"
    session = http.post("/sessions", json={"node_id": node}).json()["session_id"]
    sequences = [[["kettle"], ["cup"], ["tea"]]] * 3 + [[["kettle"], ["cup"], ["milk"]]]
    http.post(f"/nodes/{node}/learn", json={"sequences": sequences})
    for symbol in ("kettle", "cup"):
        http.post(f"/sessions/{session}/observe", json={"strings": [symbol]})
    told = http.get(f"/sessions/{session}/forecast", params={"limit": 8, "explain": "true"}).json()
    page = tab.open(f"#/session/{session}")
    entries = page.locator(".forecast summary")
    expect(entries.first).to_contain_text("tea")
    shares = [float(text.split("%")[0].split()[-1]) for text in entries.all_inner_texts()]
    assert shares == pytest.approx([each["probability"] * 100 for each in told["forecast"]], rel=1e-3)
    entries.first.click()
    voice = page.locator(".voices li").first
    expect(voice.locator(".symbol.match")).to_have_text(["kettle", "cup"])
    expect(voice.locator(".next .symbol")).to_have_text("tea")
    expect(page.get_by_role("heading", name="Novelty")).to_contain_text("0")
    page.get_by_label("Observe", exact=True).fill("zebra")
    page.get_by_role("button", name="Observe").click()
    expect(page.locator(".novelty")).to_contain_text("of the symbols never seen: zebra")


def test_a_session_that_is_gone_says_so(tab, http):
    page = tab.open("#/session/session-00000000000000000000000000000000-0")
    expect(page.get_by_role("alert")).to_contain_text("not found")
    tab.wrong.clear()  # the browser's own line about the 404
    expect(page.get_by_role("link", name="Choose another session")).to_be_visible()
