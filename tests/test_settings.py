"""The environment as values: names, aliases, precedence, and sentences about what is wrong."""

from __future__ import annotations

import pytest

from kato.errors import InvalidSettings
from kato.settings import Settings


def read(**environ):
    return Settings.read(environ)


def test_an_empty_environment_gives_the_defaults():
    settings, warnings = read(HOST="", KATO_PORT=" ")
    assert (settings, warnings) == (Settings(), [])


def test_our_name_goes_before_the_older_ones_and_a_difference_is_said():
    settings, warnings = read(PORT="9", KATO_PORT="10", UVICORN_WORKERS="2")
    assert (settings.port, settings.workers) == (10, 2)
    assert warnings == ["KATO_PORT=10 and PORT=9 differ; KATO_PORT is used"]


def test_names_are_in_any_case_and_of_two_spellings_the_capitals_win():
    assert read(kato_port="77")[0].port == 77
    for order in (("kato_port", "KATO_PORT"), ("KATO_PORT", "kato_port")):
        values = {"kato_port": "1", "KATO_PORT": "2"}
        settings, warnings = read(**{name: values[name] for name in order})
        assert settings.port == 2
        assert warnings == ["KATO_PORT and kato_port differ; KATO_PORT is used"]
    assert read(unrelated="1", UNRELATED="1")[1] == []


@pytest.mark.parametrize("text", ["true", "1", "YES", "on"])
def test_booleans_are_written_in_four_ways(text):
    assert read(KATO_DOCS_ENABLED=text)[0].docs_enabled is True
    assert (
        read(KATO_SESSION_AUTO_EXTEND={"true": "false", "1": "0", "YES": "no", "on": "Off"}[text])[
            0
        ].session_auto_extend
        is False
    )


def test_lists_and_bytes_and_limits():
    settings, _ = read(
        KATO_CORS_ORIGINS='["https://a.example", "https://b.example"]',
        KATO_ALLOWED_HOSTS="one, two",
        KATO_MEMORY_BUDGET="1.5GiB",
        MAX_REQUEST_SIZE="1000",
        KATO_MAX_SESSIONS="0",
        KATO_LIMIT_MAX_REQUESTS="unlimited",
        KATO_REQUEST_TIMEOUT="0",
        KATO_WS_HEARTBEAT="0",
        KATO_LOG_LEVEL="debug",
    )
    assert settings.cors_origins == ("https://a.example", "https://b.example")
    assert settings.allowed_hosts == ("one", "two")
    assert settings.memory_budget == 3 * 2**29
    assert read(KATO_MEMORY_BUDGET="9" * 400)[0].memory_budget == 10**400 - 1
    assert settings.limits.max_body_bytes == 1000
    assert (settings.limit_max_requests, settings.request_timeout, settings.log_level) == (None, 0.0, "DEBUG")


def test_defaults_of_sessions_come_from_the_environment():
    settings, _ = read(
        KATO_RECALL_THRESHOLD="0.4",
        MAX_PREDICTIONS="7",
        KATO_FILTER_PIPELINE="length,jaccard",
        KATO_USE_TOKEN_MATCHING="no",
        KATO_AFFINITY_EMOTIVE="joy",
        KATO_VECTOR_DIM="null",
    )
    assert settings.session_defaults == {
        "recall_threshold": 0.4,
        "max_predictions": 7,
        "filter_pipeline": ["length", "jaccard"],
        "use_token_matching": False,
        "sort_symbols": False,
        "affinity_emotive": "joy",
        "vector_dim": None,
    }
    assert read(KATO_USE_TOKEN_MATCHING="no", SORT="yes")[0].session_defaults["sort_symbols"] is True


@pytest.mark.parametrize("name", ["5", "nan", "true", "none", "[a]"])
def test_an_emotive_may_be_named_like_any_other_value(name):
    assert read(KATO_AFFINITY_EMOTIVE=name)[0].session_defaults == {"affinity_emotive": name}


def test_what_the_defaults_of_sessions_have_to_say_is_said_once_at_the_start():
    settings, warnings = read(KATO_STM_MODE="sliding")
    assert settings.session_defaults == {"stm_mode": "CLEAR"}
    assert warnings == ["stm_mode 'sliding' is not known and was read as CLEAR"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("KATO_PORT", "0"),
        ("KATO_PORT", "http"),
        ("KATO_WORKERS", "0"),
        ("KATO_SERVICE_NAME", "x" * 101),
        ("KATO_LOG_FORMAT", "xml"),
        ("KATO_SESSION_TTL", "31536001"),
        ("KATO_REQUEST_TIMEOUT", "-1"),
        ("KATO_REQUEST_TIMEOUT", "inf"),
        ("KATO_CORS_ENABLED", "perhaps"),
        ("KATO_CORS_ORIGINS", "example.org"),
        ("KATO_CORS_ORIGINS", "[1]"),
        ("KATO_MEMORY_BUDGET", "lots"),
        ("KATO_WS_HEARTBEAT", "5"),
        ("KATO_MAX_STRINGS", "0"),
        ("KATO_LIMIT_MAX_REQUESTS", "never"),
        ("KATO_RECALL_THRESHOLD", "2"),
        ("KATO_RANK_SORT_ALGO", "best"),
        ("KATO_MAX_PREDICTIONS", "x"),
        ("KATO_RECALL_THRESHOLD", "0_1"),
        ("KATO_RECALL_THRESHOLD", "nan"),
        ("KATO_MAX_PREDICTIONS", "5.0"),
        ("KATO_FILTER_PIPELINE", "[1]"),
        ("KATO_FILTER_PIPELINE", '["length"'),
        ("KATO_USE_TOKEN_MATCHING", "perhaps"),
        ("KATO_VECTOR_DIM", "x"),
        ("KATO_REQUEST_TIMEOUT", "1_0"),
        ("KATO_ALLOWED_HOSTS", "http://a/b"),
        ("KATO_MAX_METADATA_DEPTH", "151"),
        ("KATO_ENGINE", "quantum"),
    ],
)
def test_a_bad_value_is_named_with_what_is_allowed(name, value):
    with pytest.raises(InvalidSettings) as refused:
        read(**{name: value})
    assert list(refused.value.errors) == [name]
    assert "must" in refused.value.errors[name]
    assert value[:50] in refused.value.errors[name]
    assert refused.value.message == f"{name} {refused.value.errors[name]}"


def test_a_secret_is_never_shown():
    with pytest.raises(InvalidSettings) as refused:
        read(KATO_API_KEYS="short-secret")
    assert "short-secret" not in str(refused.value)
    warnings = read(KATO_API_KEYS="a" * 16, kato_api_keys="b" * 16)[1]
    assert len(warnings) == 1
    assert "aaaa" not in warnings[0]


def test_what_nobody_reads_is_named_once():
    _, warnings = read(KATO_TYPO="1", KATO_OTHER="2", AUTO_LEARN_ENABLED="true", UNRELATED="x")
    assert warnings == [
        "AUTO_LEARN_ENABLED: accepted for compatibility, without effect",
        "nothing reads KATO_OTHER, KATO_TYPO",
    ]
