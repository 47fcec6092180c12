"""How the cosines of a space are read, so that one set of thresholds serves every model.

Two statements on different matters have a cosine near 0.1 with one model and near 0.7 with another. Thresholds are
therefore written down once, on the scale of the bundled model, and the cosines of any other space are brought onto it
through three points: what unrelated statements, statements on one matter, and statements of one meaning have on
average (`calibration` measures them).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Scale:
    """Average cosines of a space for pairs that are unrelated, on one matter, and of one meaning."""

    unrelated: float
    related: float
    same: float

    def read(self, cosines: Floats) -> Floats:
        """Return the cosines on the scale of the bundled model, the shape kept; 1 stays 1."""
        if self == REFERENCE:
            return cosines
        return np.interp(cosines, self._points, REFERENCE._points).astype(np.float32)

    @property
    def _points(self) -> NDArray[np.float64]:
        return np.array([-1, self.unrelated, self.related, self.same, 1])


REFERENCE: Final = Scale(0.0106, 0.3496, 0.788)
"""The scale of the bundled model, on which every threshold is written."""
