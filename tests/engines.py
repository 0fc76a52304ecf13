"""The engines that this build has, for tests that try each of them."""

from __future__ import annotations

from kato.engine.matching import native_knowledge

ENGINES = ["plain"] if native_knowledge() is None else ["plain", "native"]
