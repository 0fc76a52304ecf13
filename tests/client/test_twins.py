"""The sync and the async client, and their handles, are the same but for one word."""

from __future__ import annotations

import inspect

import pytest

from kato import AsyncKATOClient, KATOClient
from kato.client.async_methods import AsyncNode, AsyncSession
from kato.client.methods import ClientMethods, Node, Session

TWINS = [(KATOClient, AsyncKATOClient), (Session, AsyncSession), (Node, AsyncNode)]


def members(kind):
    return {name for name in dir(kind) if not name.startswith("_")}


def signature(function):
    """Parameters and return type, with the words that may differ taken out."""
    found = inspect.signature(function)
    parameters = [
        (each.name, each.kind, each.default, str(each.annotation).replace("Async", ""))
        for each in found.parameters.values()
    ]
    return parameters, str(found.return_annotation).replace("Async", "")


@pytest.mark.parametrize(("sync", "twin"), TWINS)
def test_twins_have_the_same_public_members(sync, twin):
    assert members(sync) == members(twin)


@pytest.mark.parametrize(
    ("sync", "twin", "name"),
    [(sync, twin, name) for sync, twin in TWINS for name in sorted(members(sync)) if callable(getattr(sync, name))],
)
def test_twins_have_the_same_signatures(sync, twin, name):
    here, there = getattr(sync, name), getattr(twin, name)
    assert signature(here) == signature(there)
    if name == "node":
        assert not inspect.iscoroutinefunction(there)  # it asks nobody
    elif inspect.isgeneratorfunction(here):
        assert inspect.isasyncgenfunction(there)
    else:
        assert inspect.iscoroutinefunction(there)


def test_twins_are_made_alike():
    def made(kind):
        parameters = inspect.signature(kind.__init__).parameters.values()
        return [(each.name, each.kind, each.default) for each in parameters]

    assert made(KATOClient) == made(AsyncKATOClient)


def test_constructors_put_all_public_methods_into_the_shared_class():
    assert members(KATOClient) == members(ClientMethods)


def test_every_public_method_has_a_docstring():
    for sync, twin in TWINS:
        for kind in (sync, twin):
            for name in members(kind):
                assert getattr(kind, name).__doc__, (kind, name)


# What programs written against the guide pass, positionally and by name.
GUIDE = {
    "create_session": [("node_id", "config", "ttl", "auto_reconnect"), (None, None, True)],
    "reconnect": [(), ()],
    "observe": [("strings", "vectors", "emotives", "metadata", "auto_reconnect"), (None, None, None, True)],
    "learn": [("auto_reconnect",), (True,)],
    "get_predictions": [("auto_reconnect",), (True,)],
    "clear_stm": [(), ()],
    "get_stm": [(), ()],
    "get_session_info": [(), ()],
    "delete_session": [(), ()],
    "close": [(), ()],
    "observe_batch": [("observations",), ()],
    "learn_and_test": [("training_obs", "test_obs"), ()],
    "__init__": [("base_url", "timeout", "max_retries"), ("http://localhost:8000", 30, 3)],
}


@pytest.mark.parametrize("name", GUIDE)
@pytest.mark.parametrize("kind", [KATOClient, AsyncKATOClient])
def test_the_guides_arguments_are_taken_in_their_order_with_their_defaults(kind, name):
    names, defaults = GUIDE[name]
    parameters = list(inspect.signature(getattr(kind, name)).parameters.values())[1:]
    positional = [each for each in parameters if each.kind is each.POSITIONAL_OR_KEYWORD]
    assert tuple(each.name for each in positional) == names
    assert tuple(each.default for each in positional if each.default is not each.empty) == defaults
    assert all(each.default is not each.empty for each in parameters if each.kind is each.KEYWORD_ONLY)
