"""Measuring the scale of an embedding space: once, when it is first used, with sentences of our own."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from interlayer.errors import Unavailable
from interlayer.models.embedder import Embedder
from interlayer.models.scale import Scale

_GAP: Final = 0.02  # least distance between two points: under it a model tells these kinds of pairs apart by chance


async def calibrate(embedder: Embedder, *, waiting: bool = False) -> Scale:
    """Return the scale of an embedder's space. Raises `Unavailable` when the model cannot be reached or is no use."""
    texts = [text for triple in _TRIPLES for text in triple]
    vectors = (await embedder.embed(texts, waiting=waiting)).reshape(len(_TRIPLES), 3, -1)
    base, same, related = (vectors[:, kind] for kind in range(3))
    apart = base @ base.T
    count = len(_TRIPLES)
    points: Sequence[Any] = (
        (apart.sum() - np.trace(apart)) / (count * (count - 1)),
        (base * related).sum(axis=1).mean(),
        (base * same).sum(axis=1).mean(),
    )
    unrelated, close, equal = (round(float(point), 4) for point in points)
    if not unrelated + _GAP < close + _GAP < equal + 2 * _GAP < 1 + 2 * _GAP:
        raise Unavailable(
            f"{embedder.space.model}: it hardly tells equal statements ({equal:.2f}) from unrelated ones "
            f"({unrelated:.2f}). Choose a model for sentence similarity."
        )
    return Scale(unrelated, close, equal)


# A statement, the same in other words, another one on the same matter.
_TRIPLES: Final = (
    ("The contract renews every January.", "Each January the contract is renewed.", "The contract has an annex."),
    ("Maria Lopez leads the design team.", "The design team is led by Maria Lopez.", "The design team hired two."),
    ("The server room floods when it rains.", "Rain floods the server room.", "The server room has a new door."),
    ("They prefer to be called in the morning.", "Morning calls suit them best.", "They missed two calls last week."),
    ("The budget for training was cut by half.", "Half of the training budget was cut.", "Training takes three days."),
    ("The invoice has not been paid yet.", "Payment of the invoice is still open.", "The invoice lists nine items."),
    ("Our buyer wants a discount on valves.", "Our buyer asked for cheaper valves.", "The valves come from Sweden."),
    ("The hospital uses the mobile app daily.", "Every day the hospital uses the app.", "The app crashed on tablets."),
    ("The shipment is stuck at customs.", "Customs is holding the shipment back.", "The shipment weighs four tons."),
    ("Johan is allergic to peanuts.", "Johan cannot eat peanuts.", "Johan ordered lunch for the visitors."),
    ("The factory will close in autumn.", "In autumn the factory shuts down.", "The factory makes glass bottles."),
    ("Security found a weak password.", "A weak password was found by security.", "Security asks for new badges."),
    ("The pilot ended with good results.", "Good results came out of the pilot.", "The pilot ran in four schools."),
    ("The manager lives in Lisbon.", "Lisbon is where the manager lives.", "The manager was promoted in May."),
    ("Complaints about noise have doubled.", "Twice as many complain about noise.", "Noise is measured at night."),
    ("The library lends cameras to students.", "Students can borrow cameras.", "The library opens on Sundays."),
)  # fmt: skip
