"""Cosines of any space on one scale."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hashed_vectors import HashedEmbedder
from interlayer.errors import Unavailable
from interlayer.models.calibration import calibrate
from interlayer.models.embedder import Space, Vectors
from interlayer.models.local import LocalEmbedder
from interlayer.models.scale import REFERENCE, Scale

pytestmark = pytest.mark.anyio
E5_LIKE = Scale(0.72, 0.84, 0.93)


async def test_the_bundled_model_is_the_scale_itself() -> None:
    assert await calibrate(LocalEmbedder()) == REFERENCE


@given(st.lists(st.floats(-1, 1, width=32), min_size=2))
def test_reading_keeps_the_order_and_the_ends(cosines: list[float]) -> None:
    read = E5_LIKE.read(np.array(sorted(cosines), dtype=np.float32))
    assert np.all(np.diff(read) >= 0)
    assert E5_LIKE.read(np.array([1, -1], dtype=np.float32)).tolist() == [1, -1]


def test_what_is_unrelated_in_one_space_is_so_on_the_scale() -> None:
    read = E5_LIKE.read(np.array([[0.72, 0.84], [0.93, 1.0]], dtype=np.float32))
    assert read == pytest.approx(np.array([[REFERENCE.unrelated, REFERENCE.related], [REFERENCE.same, 1.0]]), abs=1e-4)


async def test_a_model_that_tells_nothing_apart_is_refused() -> None:
    class Constant(HashedEmbedder):
        async def embed(self, texts: object, *, query: bool = False, waiting: bool = False) -> Vectors:  # noqa: ARG002
            return np.ones((len(list(texts)), 4), dtype=np.float32) / 2  # type: ignore[call-overload]

        @property
        def space(self) -> Space:
            return Space("constant", 4, "v1")

    with pytest.raises(Unavailable, match="sentence similarity"):
        await calibrate(Constant("constant", 4))
