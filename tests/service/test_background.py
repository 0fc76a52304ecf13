"""Work that nobody waits for."""

from __future__ import annotations

import threading
import weakref

from kato.service.background import Background


class Knowledge:
    """Something that work is about."""


def test_what_work_was_about_is_let_go_of_when_it_is_done():
    background, done = Background("kato-test"), threading.Event()
    about = Knowledge()
    let_go_of = weakref.finalize(about, done.set)
    background.due("key", lambda about=about: None)
    del about
    assert done.wait(10)
    assert not let_go_of.alive
    background.close()
