"""
Hostile strings, bodies and pairs of node ids, made by rule: the same ones every time.

Nothing is copied from a list of somebody else's; each family of strings is a few lines that say what it is about.
"""

from __future__ import annotations

import json
import random
import unicodedata
from collections.abc import Iterator
from itertools import product

_SQL = ("'", '"', "';", "--", "/*", "*/", "`", "\\'", "%27", "0x27", "''", ";")
_STATEMENTS = (
    "DROP TABLE node",
    "SELECT * FROM session",
    "DELETE FROM pattern",
    "ATTACH 'x' AS y",
    "PRAGMA writable_schema=1",
)
_GLOB = ("*", "?", "[a-z]", "%", "_", "\\%", "[^a]", "{a,b}", "**", "a%b", "a_b", "%%", "~", "!")
_PATHS = (
    *("/", "//", ".", "..", "../", "/../..", "a/../b", "%2e%2e%2f", "..%2f", "\\..\\", "C:\\x", "file:///etc/passwd"),
    *(
        "/etc/passwd",
        "~/.ssh",
        "con",
        "nul",
        "a/",
        "/a",
        "a//b",
        "%2F",
        "%252F",
        "%00",
        "%",
        "%zz",
        "?a=b",
        "#x",
        "&a=b",
        ";x=1",
    ),
    *("kato.db", "kato.db-wal", ":memory:", "file:x?mode=memory", "\\\\server\\share", "a:b", "//example.invalid/"),
)
_MARKUP = (
    *(
        "<script>alert(1)</script>",
        "<!--",
        "]]>",
        "&lt;",
        "&#0;",
        "{{7*7}}",
        "${7*7}",
        "#{x}",
        "<%= x %>",
        "{0}",
        "{x}",
        "%s%n",
    ),
    *(
        "$(id)",
        "`id`",
        "|id",
        "&& id",
        "\\x41",
        "\\u0041",
        "%d",
        "javascript:x",
        "data:,x",
        "=1+1",
        "@SUM(A1)",
        "-1+1",
        "%0d%0aX: y",
    ),
)
_WORDS = (
    *(
        "null",
        "None",
        "undefined",
        "true",
        "false",
        "NaN",
        "nan",
        "Infinity",
        "-Infinity",
        "inf",
        "1e999",
        "-0",
        "0",
        "00",
        "1.0",
    ),
    *(
        "__proto__",
        "constructor",
        "__class__",
        "toString",
        "node",
        "NODE",
        "default_node",
        "test_",
        "test_test_",
        "PTRN|",
        "VCTR|",
    ),
    *(
        "session-",
        "kato-",
        "[]",
        "{}",
        '""',
        "''",
        "()",
        "[[",
        "rowid",
        "sqlite_master",
        "key",
        "count",
        "exists",
        "stats",
        "affinity",
    ),
)
_BIDIRECTIONAL = (0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
_INVISIBLE = (
    0x00A0,
    0x00AD,
    0x034F,
    0x115F,
    0x180E,
    *range(0x2000, 0x200E),
    0x2028,
    0x2029,
    0x2060,
    0x3000,
    0x3164,
    0xFEFF,
    0xFFA0,
)
_ODD = (
    0xFFFD,
    0xFFFE,
    0xFFFF,
    0x1F600,
    0x10FFFF,
    0xE0001,
    0xE007F,
    0x0130,
    0x0131,
    0x00DF,
    0x1E9E,
    0x017F,
    0x212A,
    0xFB01,
    0x0345,
)
_LONG = 65_536


def strings() -> list[str]:
    """At least 300 strings, each once, some of them no Unicode text (lone surrogates)."""
    found = [
        "",
        " ",
        "  ",
        " a",
        "a ",
        "\u00e9",
        "e\u0301",
        "\uac00",
        "\u1100\u1161",
        "A",
        "a",
        "\u0391",
        "\u0410",
        "ａ",
    ]
    found += [a + b for a, b in product(("x", ""), _SQL)]
    found += [f"{quote}{statement};--" for quote, statement in product(("'; ", '"; ', "') ", "1; ", ""), _STATEMENTS)]
    found += _GLOB + _PATHS + _MARKUP + _WORDS
    found += [f"a{chr(code)}b" for code in (*range(0x20), *range(0x7F, 0xA0))]
    found += [chr(code) for code in (0x00, 0x0A, 0x0D, 0x1B, 0x7F, 0x85)]
    found += [f"a{chr(code)}b" for code in (*_BIDIRECTIONAL, *_INVISIBLE, *_ODD)]
    found += [f"\u202e{text}\u202c" for text in ("abc", "drop", "a/b")]
    found += [f"a{chr(code)}b" for code in (0xD800, 0xDBFF, 0xDC00, 0xDFFF)] + ["\udc00\ud800", "\ud800\ud800"]
    found += [
        "a\u0300" + "\u0301" * 50,
        "\u0301",
        "🏳️\u200d🌈",
        "👩\u200d👩\u200d👧",
        "ﷺ",
        "𝕳",
        "كلمة",
        "שלום",
        "日本語",
        "नमस्ते",
    ]
    found += ["a" * size for size in (256, 257, 512, 513, _LONG - 1, _LONG, _LONG + 1)]
    found += [
        "é" * (_LONG // 2),
        "日" * (_LONG // 3),
        "🧠" * (_LONG // 4),
        "\0" * 300,
        "'" * 300,
        "%" * 300,
        "/" * 300,
        "\n" * 300,
    ]
    return list(dict.fromkeys(found))


def is_text(value: str) -> bool:
    """Whether it is Unicode text: no lone surrogates."""
    return not any(0xD800 <= ord(character) < 0xE000 for character in value)


def is_node_id(value: str) -> bool:
    """Whether it may name a node: 1 to 512 characters, none of them a control character."""
    return 1 <= len(value) <= 512 and is_text(value) and not any(unicodedata.category(each) == "Cc" for each in value)


_NUMBERS = (
    *(
        "0",
        "-0",
        "1",
        "1.0",
        "1e0",
        "1E+2",
        "0.1e1",
        "01",
        "+1",
        "1.",
        ".5",
        "1e",
        "--1",
        "0x10",
        "1_000",
        "1e308",
        "1e309",
        "-1e309",
    ),
    *(
        "1e-400",
        "5e-324",
        "9007199254740993",
        "18446744073709551616",
        "-9223372036854775809",
        "1" * 400,
        "9" * 5000,
        "1." + "1" * 5000,
    ),
    *(
        "NaN",
        "nan",
        "-NaN",
        "Infinity",
        "-Infinity",
        "+Infinity",
        "inf",
        "INF",
        "1e9999999999",
        "0e999999999",
        "\u0661",
        "\uff11",
    ),
)
_VALUES = (
    *(
        "null",
        "true",
        "false",
        "True",
        "None",
        "undefined",
        '""',
        '"a"',
        "[]",
        "{}",
        "[[]]",
        "[{}]",
        "[null]",
        '[""]',
        '["a",1]',
    ),
    *(
        "[[1]]",
        "[[null]]",
        '{"a":{}}',
        '{"":1}',
        '{"a":null}',
        '{"\\u0000":1}',
        '"\\u0000"',
        '"\\ud800"',
        '"\\udc00\\ud800"',
        "'a'",
    ),
    *(
        '["a",]',
        "[,]",
        "[1 2]",
        '{"a":1,}',
        "{a:1}",
        '{"a" 1}',
        '["a"',
        '"a',
        '"\\x"',
        '"\\u12"',
        '"\t"',
        "/*c*/1",
        "1//c",
        "#",
    ),
)
_MEMBERS = (
    "strings",
    "vectors",
    "emotives",
    "metadata",
    "config",
    "node_id",
    "observations",
    "sequences",
    "stms",
    "ttl",
)


def bodies() -> list[bytes]:
    """At least 400 request bodies, each once; most are no request, some no JSON, some no text."""
    found: list[bytes] = [
        b"",
        b" ",
        b"\n",
        b"\x00",
        b"\xef\xbb\xbf{}",
        b"\xff\xfe{\x00}\x00",
        b"{}{}",
        b"{} x",
        b"\x0b{}",
        b"{}\x0c",
    ]
    found += [value.encode() for value in (*_NUMBERS, *_VALUES)]
    for member in _MEMBERS:
        found += [b'{"%s":%s}' % (member.encode(), value.encode()) for value in (*_VALUES[:25], *_NUMBERS[16:32])]
    for opening, closing in (("[", "]"), ('{"a":', "}"), ('[{"a":', "}]")):
        for depth in (31, 33, 199, 201, 1000, 100_000):
            found.append((opening * depth + "1" + closing * depth).encode())
            found.append((opening * depth).encode())
    for depth in (31, 32, 33, 300):
        found.append(b'{"metadata":%s,"node_id":"hostile"}' % (b'{"a":' * depth + b"1" + b"}" * depth))
    found += [b'{"strings":["a"],"strings":["b"]}', b'{"strings":1,"strings":["b"]}', b'{"node_id":"x","node_id":5}']
    found += [b'{"config":{"recall_threshold":2,"recall_threshold":0.5}}', b'{"a":1,' * 1000 + b'"a":1}' + b"}" * 999]
    bad_text = (
        b"\x80",
        b"\xc0\xaf",
        b"\xed\xa0\x80",
        b"\xf4\x90\x80\x80",
        b"\xff",
        b"\xe2\x82",
        b"\xf8\x88\x80\x80\x80",
    )
    found += [b'{"strings":["a%sb"]}' % bad for bad in bad_text] + [b'{"%s":1}' % bad for bad in bad_text]
    found += [json.dumps({"strings": [text]}).encode() for text in strings()[:60]]
    found += [json.dumps({text: 1, "emotives": {text: 1}}).encode() for text in strings()[:60]]
    found += [b'{"strings":[%s"a"]}' % (b'"a",' * 10_000), b'{"vectors":[%s[1]]}' % (b"[1]," * 64)]
    found += [b'{"emotives":{%s}}' % b",".join(b'"e%d":1' % number for number in range(1001))]
    found += [b'{"strings":["%s"]}' % (b"a" * (_LONG + 1)), b'{"vectors":[[%s0]]}' % (b"0," * 16_384)]
    return list(dict.fromkeys(found))


# --- node ids that look alike ---

_ALIKE = (
    lambda text: text.upper(),
    lambda text: text.swapcase(),
    lambda text: text + " ",
    lambda text: " " + text,
    lambda text: text + "\u00a0",
    lambda text: text + "\u200b",
    lambda text: "\ufeff" + text,
    lambda text: "\u202e" + text,
    lambda text: "test_" + text,
    lambda text: text + "/",
    lambda text: text + "%",
    lambda text: text + "_",
    lambda text: text + "'",
    lambda text: "'" + text + "'",
    lambda text: '"' + text + '"',
    lambda text: text.replace("a", "%61"),
    lambda text: text.replace("a", "\u0430"),
    lambda text: text.replace("e", "e\u0301"),
    lambda text: unicodedata.normalize("NFD", text + "é"),
    lambda text: unicodedata.normalize("NFC", text + "é"),
    lambda text: text.replace("a", "_"),
    lambda text: text.replace("a", "%"),
    lambda text: text + "\\",
    lambda text: text[::-1],
    lambda text: text * 2,
    lambda text: text[:-1],
    lambda text: text + ".",
    lambda text: text + "..",
    lambda text: "./" + text,
    lambda text: text + "#",
    lambda text: text + "?a=b",
    lambda text: text + "&node_id=x",
    lambda text: text + "+",
    lambda text: text.replace("a", "а", 1) + "1",
    lambda text: text + "\U0001f600",
)
_LETTERS = "aabcdeéßİıſ_%*'\"\\/.;:|-+ 日\u0301\u200d🧠"


def pairs(count: int, seed: int) -> Iterator[tuple[str, str]]:
    """That many pairs of different node ids that look alike, no id in two pairs."""
    chance = random.Random(seed)
    used: set[str] = set()
    while count:
        text = "".join(chance.choice(_LETTERS) for _ in range(chance.randint(3, 12)))
        other = chance.choice(_ALIKE)(text)
        if text != other and is_node_id(text) and is_node_id(other) and not used & {text, other}:
            used |= {text, other}
            count -= 1
            yield text, other
