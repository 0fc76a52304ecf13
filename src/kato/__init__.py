"""
KATO: a memory that observes events, learns sequences of them by heart, and says what comes next.

`Kato` opens a memory in this process; `KATOClient` and `AsyncKATOClient` reach one through a server. Each
name is loaded when it is first used, so that importing the package costs next to nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kato.client.asynchronous import AsyncKATOClient
    from kato.client.bulk import Progress
    from kato.client.helper import PredictionHelper
    from kato.client.sync import BatchKATOClient, KATOClient
    from kato.errors import (
        DeadlineExceeded,
        EmptyMemory,
        Forbidden,
        HeadChanged,
        IdempotencyMismatch,
        InternalError,
        InvalidInput,
        InvalidSettings,
        InvalidVector,
        KATOAPIError,
        KATOError,
        KATOSessionError,
        KeyConflict,
        KeyNotFound,
        LimitExceeded,
        MalformedJSON,
        MethodNotAllowed,
        MetricNotFound,
        NoActiveSession,
        NotReady,
        OriginRefused,
        Overloaded,
        PatternNotFound,
        PayloadTooLarge,
        RateLimited,
        RequestTimedOut,
        RouteNotFound,
        ServerUnreachable,
        SessionExpired,
        SessionNotFound,
        StorageError,
        StorageFull,
        StorageInUse,
        StorageUnavailable,
        StoredDataCorrupt,
        TooManySessions,
        Unauthorized,
        UnexpectedAnswer,
        UnsupportedMediaType,
        VectorDimensionMismatch,
    )
    from kato.local import Kato

__version__ = "0.1.0"

__all__ = [
    "AsyncKATOClient",
    "BatchKATOClient",
    "DeadlineExceeded",
    "EmptyMemory",
    "Forbidden",
    "HeadChanged",
    "IdempotencyMismatch",
    "InternalError",
    "InvalidInput",
    "InvalidSettings",
    "InvalidVector",
    "KATOAPIError",
    "KATOClient",
    "KATOError",
    "KATOSessionError",
    "Kato",
    "KeyConflict",
    "KeyNotFound",
    "LimitExceeded",
    "MalformedJSON",
    "MethodNotAllowed",
    "MetricNotFound",
    "NoActiveSession",
    "NotReady",
    "OriginRefused",
    "Overloaded",
    "PatternNotFound",
    "PayloadTooLarge",
    "PredictionHelper",
    "Progress",
    "RateLimited",
    "RequestTimedOut",
    "RouteNotFound",
    "ServerUnreachable",
    "SessionExpired",
    "SessionNotFound",
    "StorageError",
    "StorageFull",
    "StorageInUse",
    "StorageUnavailable",
    "StoredDataCorrupt",
    "TooManySessions",
    "Unauthorized",
    "UnexpectedAnswer",
    "UnsupportedMediaType",
    "VectorDimensionMismatch",
    "__version__",
]

_HOMES = {
    "AsyncKATOClient": "kato.client.asynchronous",
    "BatchKATOClient": "kato.client.sync",
    "KATOClient": "kato.client.sync",
    "Kato": "kato.local",
    "PredictionHelper": "kato.client.helper",
    "Progress": "kato.client.bulk",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'kato' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOMES.get(name, "kato.errors")), name)
    globals()[name] = value  # found once; from now on it is an ordinary member
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
