"""An administrator gives out a key and takes it back, on a server that asks for keys."""

from __future__ import annotations

import httpx2
import pytest

from browser.test_screens import RULES, violations
from browser.watched import Watched
from guarding import Asking, guarded

expect = pytest.importorskip(
    "playwright.sync_api", reason="browser tests need playwright: pip install --group browser"
).expect

NAME = "<img src=x onerror=window.hit=1>"


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    with guarded(tmp_path_factory.mktemp("keys")) as server, Asking(server) as ask:
        ask.session()
        yield server


def opened(chromium, server, who, **more):
    """A tab that comes with somebody's key."""
    tab = Watched(chromium, server.server.url, **more)
    tab.context.add_init_script(f"sessionStorage.setItem('kato.key', '{server.secrets[who]}')")
    return tab


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_a_key_is_made_shown_once_used_and_revoked(chromium, asked, width, scheme):
    tab = opened(chromium, asked, "admin", width=width, scheme=scheme)
    try:
        page = tab.open("#/operations")
        page.get_by_role("button", name="New key…").click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_label("Name:").fill(NAME)
        dialog.get_by_label("It may", exact=True).select_option("read")
        dialog.get_by_label("Nodes it may touch").fill("ours/\nalso/")
        assert violations(page, RULES) == []
        dialog.get_by_role("button", name="Make it").click()
        secret = page.locator(".made .secret").inner_text()
        with httpx2.Client(base_url=asked.server.url, headers={"X-API-Key": secret}) as http:
            assert http.get("/nodes").status_code == 200
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            assert violations(page, RULES) == []
            tab.shoot(f"keys-{width}-{scheme}")
            page.get_by_role("button", name="I have kept it").click()
            assert secret not in page.content()
            row = page.get_by_role("row").filter(has_text=NAME).last
            expect(row).to_contain_text("ours/…")
            row.get_by_role("button", name="Revoke key").click()
            dialog.get_by_role("button", name="Cancel").click()
            assert http.get("/nodes").status_code == 200
            row.get_by_role("button", name="Revoke key").click()
            dialog.get_by_role("button", name="Revoke").click()
            expect(row).to_contain_text("revoked")
            assert http.get("/nodes").status_code == 401
        assert page.evaluate("window.hit") is None
        expect(page.get_by_role("row").filter(has_text="the one you use")).to_contain_text("admin")
        assert tab.wrong == []
    finally:
        tab.context.close()


def test_who_is_no_administrator_is_told_so(chromium, asked):
    tab = opened(chromium, asked, "write")
    try:
        page = tab.open("#/operations")
        expect(page.get_by_role("alert").filter(has_text="needs a key of scope admin").first).to_be_visible()
        expect(page.get_by_role("button", name="New key…")).to_have_count(0)
    finally:
        tab.context.close()


def test_without_keys_the_page_says_how_the_first_is_made(tab):
    page = tab.open("#/operations")
    expect(page.get_by_text("The first key is made on its machine")).to_be_visible()
    expect(page.locator("code", has_text="kato keys create")).to_have_text("kato keys create")
    expect(page.get_by_role("button", name="New key…")).to_have_count(0)
