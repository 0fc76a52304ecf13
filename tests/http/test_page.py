from __future__ import annotations

import hashlib
import re
from importlib.resources import files

import httpx2
import pytest

from kato.server.page import Page

PAGE = Page()


def test_the_page_is_served_with_and_without_a_slash(http: httpx2.Client) -> None:
    bare, slashed = http.get("/ui"), http.get("/ui/")
    assert bare.status_code == slashed.status_code == 200
    assert bare.content == slashed.content
    assert bare.headers["content-type"] == "text/html; charset=utf-8"
    assert b"/ui/app.js" in bare.content


def test_the_root_stays_what_it_is(http: httpx2.Client) -> None:
    assert http.get("/").json()["service"] == "KATO API"


@pytest.mark.parametrize("path", sorted(PAGE.files))
def test_every_file_comes_with_headers_that_keep_others_out(http: httpx2.Client, path: str) -> None:
    answer = http.get(path)
    assert answer.status_code == 200
    assert answer.headers["x-content-type-options"] == "nosniff"
    policy = dict(part.strip().split(" ", 1) for part in answer.headers["content-security-policy"].split(";"))
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == policy["form-action"] == "'none'"
    assert {policy[f"{what}-src"] for what in ("script", "style", "connect", "img")} == {"'self'"}
    assert "X-Trace-ID" in answer.headers


def test_who_has_a_file_is_not_sent_it_again(http: httpx2.Client) -> None:
    first = http.get("/ui/app.js")
    second = http.get("/ui/app.js", headers={"If-None-Match": first.headers["etag"]})
    assert (second.status_code, second.content) == (304, b"")
    other = http.get("/ui/app.js", headers={"If-None-Match": '"another"'})
    assert other.status_code == 200


def test_head_gives_no_body(http: httpx2.Client) -> None:
    answer = http.head("/ui/app.js")
    assert (answer.status_code, answer.content) == (200, b"")


@pytest.mark.parametrize(
    "path", ["/ui/none.js", "/uix", "/ui/../server/page.py", "/ui/%2e%2e/settings.py", "/ui//app.js", "/ui/index.html"]
)
def test_what_is_no_file_of_the_page_is_not_there(http: httpx2.Client, path: str) -> None:
    answer = http.get(httpx2.URL(str(http.base_url).rstrip("/") + path))
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "NOT_FOUND"


def test_the_page_is_only_read(http: httpx2.Client) -> None:
    answer = http.post("/ui", json={})
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, HEAD, OPTIONS"


def test_a_foreign_host_name_gets_no_page(http: httpx2.Client) -> None:
    assert http.get("/ui", headers={"Host": "evil.example"}).status_code == 403


def test_the_page_holds_no_script_and_no_style_of_its_own() -> None:
    text = PAGE.files["/ui"].content.decode()
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:", text)
    for opening in re.findall(r"<script[^>]*>(?=(.*?)</script>)", text, re.DOTALL):
        assert opening.strip() == ""


@pytest.mark.parametrize("path", sorted(path for path in PAGE.files if "/vendor/" not in path))
def test_no_file_of_ours_asks_another_site_or_writes_markup(path: str) -> None:
    text = PAGE.files[path].content.decode().replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"https?://", text)
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacentHTML|dangerouslySetInnerHTML|document\.write|\beval\(", text
    )


def test_every_module_that_is_asked_for_is_there() -> None:
    for path, file in PAGE.files.items():
        if not path.endswith(".js") or "/vendor/" in path:
            continue
        for asked in re.findall(r'from "(\.[^"]+)"', file.content.decode()):
            where = path.rsplit("/", 1)[0].split("/")
            for step in asked.split("/"):
                where = where[:-1] if step == ".." else where if step == "." else [*where, step]
            assert "/".join(where) in PAGE.files, f"{path} asks for {asked}"


def test_what_others_wrote_is_as_they_published_it() -> None:
    vendor = files("kato") / "web" / "vendor"
    told = re.findall(r"^\| `([^`]+)` .* `([0-9a-f]{64})` \|$", (vendor / "README.md").read_text(), re.MULTILINE)
    assert told
    for name, digest in told:
        assert hashlib.sha256((vendor / name).read_bytes()).hexdigest() == digest
