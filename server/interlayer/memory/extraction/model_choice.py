"""Which chat model reads content: what the organization has chosen by command, else what the process is set to.

The choice lies in the item store, so that every process obeys it at its next call. It holds no secret: keys come from
the environment of the process.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import anyio

from interlayer.audit.trail import Event, Trail
from interlayer.errors import InvalidInput, Unavailable
from interlayer.ids import Clock, timestamp
from interlayer.memory.extraction.chat_extractor import ModelExtractor
from interlayer.memory.extraction.extractor import Extractor
from interlayer.memory.extraction.token_budget import Spending
from interlayer.memory.log import keys
from interlayer.memory.log.identifiers import check_text
from interlayer.models.chat import Chat, ChatSettings, with_models
from interlayer.models.vendor import is_known
from interlayer.principal import Principal
from interlayer.storage.items import ABSENT, Delete, ItemStore, Put

NONE: Final = "none"
_ID_MAX: Final = 200
_CACHED_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Choice:
    """What reads content, and whether the organization has chosen it."""

    settings: ChatSettings
    stored: bool


class ModelChoice:
    """Tells and changes the choice of each organization."""

    def __init__(self, store: ItemStore, trail: Trail, clock: Clock, settings: ChatSettings) -> None:
        self._store = store
        self._trail = trail
        self._clock = clock
        self._settings = settings
        self._known: dict[str, tuple[float, Choice]] = {}

    async def current(self, organization: str) -> Extractor | None:
        """Return the extractor that an organization has now, None without a model; what was read is kept a second."""
        now = anyio.current_time()
        at, choice = self._known.get(organization, (now - 2 * _CACHED_S, None))
        if choice is None or not 0 <= now - at < _CACHED_S:
            choice = await self.chosen(organization)
            self._known[organization] = (now, choice)
        return self.extractor(organization, choice.settings)

    async def chosen(self, organization: str) -> Choice:
        """Return the choice as it stands in the store."""
        item = await self._store.get(keys.model(organization))
        if item is None:
            return Choice(self._settings, stored=False)
        return Choice(with_models(self._settings, item.body["models"], item.body["api_base"]), stored=True)

    def extractor(self, organization: str, settings: ChatSettings) -> Extractor | None:
        """Build the extractor that asks these models within the organization's budget."""
        if not settings.models:
            return None
        return ModelExtractor(Chat(settings, self.spending(organization)), settings)

    def instead(self, organization: str, model: str, api_base: str | None, choice: Choice) -> Extractor | None:
        """Build an extractor of other than the chosen models, at the chosen address unless another one is given."""
        settings = with_models(self._settings, model_ids(model), api_base or choice.settings.api_base)
        return self.extractor(organization, settings)

    def spending(self, organization: str) -> Spending:
        """Return the meter of an organization."""
        return Spending(self._store, self._clock, organization, self._settings.daily_tokens, self._settings.daily_cost)

    async def choose(self, principal: Principal, model: str, api_base: str | None) -> Choice:
        """Choose models for the organization; `none` switches extraction off. Audited."""
        models = model_ids(model)
        if not models and model.strip() != NONE:
            raise InvalidInput("model", "is blank.", "Write provider/model, or none to switch extraction off.")
        await _check_known(models)
        body: dict[str, Any] = {
            "models": list(models),
            "api_base": check_address(api_base),
            "by": principal.agent,
            "at": timestamp(self._clock()),
        }
        item = await self._store.get(keys.model(principal.organization))
        put = Put(keys.model(principal.organization), body, item.version if item else ABSENT)
        detail = {"models": list(models), "api_base": body["api_base"] or ""}
        await self._trail.commit(principal, Event("model.chosen", "model", detail), [put])
        self._known.pop(principal.organization, None)
        return await self.chosen(principal.organization)

    async def forget_choice(self, principal: Principal) -> Choice:
        """Go back to what each process is set to. Audited."""
        item = await self._store.get(keys.model(principal.organization))
        if item:
            delete = Delete(item.key, item.version)
            await self._trail.commit(
                principal, Event("model.unset", "model", {"models": item.body["models"]}), [delete]
            )
        self._known.pop(principal.organization, None)
        return await self.chosen(principal.organization)


def model_ids(text: str) -> Sequence[str]:
    """Return the models of a setting, in the order in which they are asked; `none` is none of them."""
    check_text(text, "model", _ID_MAX * 5)
    models = tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    if models in {(NONE,), ()}:
        return ()
    for one in models:
        if len(one) > _ID_MAX or any(character.isspace() for character in one) or one == NONE:
            raise InvalidInput(
                "model", f"{one[:60]!r} is no model.", "Write provider/model, such as openai/gpt-5-mini."
            )
    return models


async def _check_known(models: Sequence[str]) -> None:
    with suppress(Unavailable):  # cannot be told here; whoever asks the model has what it takes
        for one in models:
            if not await is_known(one):
                raise InvalidInput(
                    "model",
                    f"no provider of {one[:60]!r} is known.",
                    "Write provider/model, such as openai/gpt-5-mini.",
                )


def check_address(api_base: str | None) -> str | None:
    """Return an address that may be stored: http or https, and no user or password in it."""
    if not api_base:
        return None
    check_text(api_base, "api_base", 500)
    scheme, found, rest = api_base.partition("://")
    if scheme not in {"http", "https"} or not found or not rest or "@" in rest.partition("/")[0]:
        problem = "is no address, or has a user in it."
        raise InvalidInput("api_base", problem, "Write http://host:port/v1; keys come from the environment.")
    return api_base
