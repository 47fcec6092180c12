"""The arguments by which a caller says where its task takes place; two governance tools share them."""

from typing import Annotated

from pydantic import Field

from interlayer_policies.delivery.situation import Facets
from interlayer_tools.tool import Input, OptionalText


class FacetsInput(Input):
    """Facets of a task. One that is left out counts as matching, so leaving it out never lifts a rule."""

    channel: Annotated[OptionalText, Field(description="e.g. email")] = None
    audience: Annotated[OptionalText, Field(description="e.g. prospect")] = None
    region: OptionalText = None
    team: OptionalText = None
    tags: list[str] = []
    entity: OptionalText = None

    def facets(self) -> Facets:
        """Return them as the domain takes them."""
        return Facets(
            channel=self.channel,
            audience=self.audience,
            region=self.region,
            team=self.team,
            tags=tuple(self.tags),
            entity=self.entity,
        )
