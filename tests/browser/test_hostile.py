"""What is in the memory is shown as text, whatever it looks like."""

from __future__ import annotations

from urllib.parse import quote

import pytest

expect = pytest.importorskip(
    "playwright.sync_api", reason="browser tests need playwright: pip install --group browser"
).expect

CORPUS = (
    "<script>window.hit=1</script>",
    "<img src=x onerror=window.hit=1>",
    "<svg onload=window.hit=1>",
    '"><script>window.hit=1</script>',
    "' onmouseover='window.hit=1",
    "javascript:window.hit=1",
    "{{constructor.constructor('window.hit=1')()}}",
    "${window.hit=1}",
    "</textarea><script>window.hit=1</script>",
    "<iframe srcdoc='<script>parent.hit=1</script>'>",
    "<a href=javascript:window.hit=1>x</a>",
    "<math><mtext></mtext><script>window.hit=1</script></math>",
    "&lt;script&gt;window.hit=1&lt;/script&gt;",
    "<style>*{display:none}</style>",
    "<base href=//evil.example>",
    "\u202eevil\u202c",
    "a\0b",
    "__proto__",
    "constructor",
    "dangerouslySetInnerHTML",
)


@pytest.fixture(scope="module")
def hostile(server):
    """A node whose every text is hostile: its own id, symbols, emotives, metadata."""
    import httpx2

    node = f"<img src=x onerror=window.hit=1> {CORPUS[0]}"
    with httpx2.Client(base_url=server.url, timeout=30) as http:
        session = http.post("/sessions", json={"node_id": node}).json()["session_id"]
        for symbol in CORPUS:
            body = {"strings": [symbol], "emotives": {symbol: 1.0}, "metadata": {symbol: symbol}}
            assert http.post(f"/sessions/{session}/observe", json=body).status_code == 200
        name = http.post(f"/sessions/{session}/learn").json()["pattern_name"]
        for symbol in (*CORPUS[3:9], "<b>extra</b>"):
            http.post(f"/sessions/{session}/observe", json={"strings": [symbol]})
    return node, session, name


def test_every_screen_shows_it_as_text(tab, hostile):
    node, session, name = hostile
    home = quote(node, safe="")
    for address in (
        "",
        "#/session",
        f"#/session/{session}",
        f"#/node/{home}",
        f"#/node/{home}/symbols",
        f"#/node/{home}/vectors",
        f"#/node/{home}/history",
        f"#/node/{home}/pattern/{quote(name, safe='')}",
        f"#/ensemble/{session}",
        f"#/hierarchy/{home}",
        "#/operations",
    ):
        page = tab.open(address)
        expect(page.locator("h1")).to_be_visible()
        page.wait_for_load_state("networkidle")
        if address.startswith("#/session/"):
            page.get_by_role("button", name="Prediction 1: why?").click()
            expect(page.get_by_text("It is prediction 1 of")).to_be_visible()
            for entry in page.locator(".forecast summary").all():
                entry.click()
            expect(page.locator(".voices").last).to_be_visible()
            expect(page.locator(".novelty")).to_contain_text("<b>extra</b>")
        assert page.evaluate("window.hit") is None, address
        assert page.locator("main :is(script, iframe, base, style, math, img)").count() == 0, address
    page = tab.open(f"#/node/{home}/pattern/{quote(name, safe='')}")
    for symbol in CORPUS[:3]:
        expect(page.locator("bdi.symbol", has_text=symbol).first).to_be_visible()
    page.get_by_role("button", name="Edit…").click()
    assert CORPUS[0] in page.get_by_label("Metadata, as a JSON object").input_value()


def test_typed_text_is_text_too(tab):
    page = tab.open("#/session")
    page.get_by_label("Node", exact=True).fill(CORPUS[1])
    page.get_by_role("button", name="New session").click()
    page.get_by_label("Observe", exact=True).fill('"<img src=x onerror=window.hit=1>" plain')
    page.get_by_role("button", name="Observe").click()
    expect(page.locator(".strip .symbol").first).to_have_text("<img src=x onerror=window.hit=1>")
    page.get_by_label("Observe", exact=True).fill('"not closed')
    page.get_by_role("button", name="Observe").click()
    expect(page.get_by_role("alert")).to_contain_text("is not closed")
    assert page.evaluate("window.hit") is None
