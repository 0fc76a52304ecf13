"""What a session asks of the vectors it is given."""

from __future__ import annotations

import math
from collections.abc import Sequence

from kato.engine.event import vector_name
from kato.engine.settings import EngineSettings
from kato.errors import InvalidVector, VectorDimensionMismatch


def check_vectors(
    vectors: Sequence[Sequence[float]], settings: EngineSettings, *, observation_index: int | None = None
) -> None:
    """
    Refuse what is no vector of this session.

    Raises:
        InvalidVector: One is empty, or has a component beyond the range of a double.
        VectorDimensionMismatch: One has another dimension than the session's `vector_dim`.
    """
    where = "" if observation_index is None else f" of observation {observation_index}"
    for position, vector in enumerate(vectors):
        if not vector:
            raise InvalidVector(
                f"vector {position}{where} is empty; a vector has at least one component",
                vector_index=position,
                actual_dimension=0,
                expected_dimension=settings.vector_dim,
                observation_index=observation_index,
            )
        if not all(map(math.isfinite, vector)):
            raise InvalidVector(
                f"vector {position}{where} has a component that is not a finite number",
                vector_index=position,
                actual_dimension=len(vector),
                expected_dimension=settings.vector_dim,
                observation_index=observation_index,
            )
        if settings.vector_dim is not None and len(vector) != settings.vector_dim:
            raise VectorDimensionMismatch(
                f"vector {position}{where} has {len(vector)} dimensions, vector_dim is {settings.vector_dim}",
                vector_index=position,
                actual_dimension=len(vector),
                expected_dimension=settings.vector_dim,
                vector_name=vector_name(vector),
                observation_index=observation_index,
            )
