"""One running server: it answers at once, and builds what it stands on behind the first answer.

The domains take 0.3 s to import and a new home half a second to prepare. A client that only asks who we are, or which
tools there are, does not wait for either.
"""

import gc
import logging
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Final

import anyio
import anyio.to_thread

from interlayer.app.mcp_server.background import (
    embedder_trouble,
    follow_spaces,
    load_chat_model,
    load_embedder,
    policy_damage,
    read_backlog,
)
from interlayer.app.mcp_server.notices import PolicyNotices
from interlayer.app.settings import Settings
from interlayer.errors import InterlayerError, Unavailable
from interlayer.principal import Principal
from interlayer_tools import Domains

if TYPE_CHECKING:
    from interlayer.app.access import Access
    from interlayer.app.composition import Parts

_GREETING_S: Final = 1.0
_LISTING_S: Final = 2.0
_PROBE_S: Final = 5.0
_CLOSE_S: Final = 4.0
_SWEEP_S: Final = 3_600.0
_AGAIN_S: Final = 2.0
_VERIFIED_S: Final = 60.0  # how long a published set that was read whole is not read again
_WATCH_S: Final = 2.0

logger = logging.getLogger(__name__)


class Interlayer:
    """A process: who it serves, whether it is ready, and what has to be closed."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.greeted = anyio.Event()
        self.notices = PolicyNotices(self._policy_versions_when_ready)
        self._readiness = anyio.Event()
        self._cause: InterlayerError | None = None
        self._parts: Parts | None = None
        self._without: dict[str, str] = {}

    @property
    def principal(self) -> Principal:
        """The local caller."""
        return self.settings.principal

    @property
    def domains(self) -> Domains:
        """The domains; `ready` has to be awaited first."""
        return self._require_parts().domains

    async def ready(self) -> None:
        """Return when the home is in use. Raises what kept it from being so."""
        await self._readiness.wait()
        if self._cause:
            from interlayer_policies.delivery.answers import REFUSAL

            # A caller that gets no rules must not take that for leave to act.
            raise Unavailable(f"The server is not ready: {self._cause} {REFUSAL}") from self._cause

    async def facet_values(self, principal: Principal) -> Mapping[str, Sequence[str]]:
        """Return the values of facets that tools name; {} where they cannot be had soon. Raises `Unavailable`."""
        if self.settings.has_policies:  # a new home is not waited for: a first listing should not be late
            self.greeted.set()
            with anyio.move_on_after(_LISTING_S):
                await self._readiness.wait()
        known = self._readiness.is_set() and not self._cause
        return await self.domains.governance.facet_values(principal) if known else {}

    async def access(self) -> "Access":
        """Give access to the API keys, when the home is in use."""
        self.greeted.set()  # a caller waits
        await self.ready()
        return self._require_parts().access

    async def check(self) -> list[str]:
        """Say what keeps the server from its work; nothing when all is well."""
        problems: list[str] = []
        for name, probe in {
            "start": self.ready,
            "item store": self._ping_store,
            "vector index": self._ping_index,
            "policies": self._policy_versions,
        }.items():
            try:
                with anyio.fail_after(_PROBE_S):
                    await probe()
            except InterlayerError as error:
                problems.append(f"{name}: {error}")
            except TimeoutError:
                problems.append(f"{name}: no answer within {_PROBE_S:.0f} s")
        return problems

    @property
    def degraded(self) -> list[str]:
        """What the server goes on without, in words, as it was seen a moment ago."""
        return [f"{name}: {said}" for name, said in self._without.items() if said]

    async def work(self) -> None:
        """Do the background work until cancelled: build, prepare, load, carry the outbox, sweep, seal, tell of changes.

        It begins when the first request has been answered, so that it does not delay that answer.
        """
        with anyio.move_on_after(_GREETING_S):
            await self.greeted.wait()
        parts = await self._prepare_parts()
        if parts is None:
            return
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self.notices.watch)
            await load_embedder(parts, self.principal.organization)
            await load_chat_model(parts, self.principal.organization)
            gc.freeze()  # what was loaded by now stays: no search for garbage has to walk through it while calls wait
            tasks.start_soon(parts.memory.projector.run, self.principal.organization)
            tasks.start_soon(self._watch, parts)
            tasks.start_soon(self._sweep, parts)
            tasks.start_soon(follow_spaces, parts, self.principal.organization)
            tasks.start_soon(read_backlog, parts, self.principal.organization)
            tasks.start_soon(parts.sealer.run, self.principal, parts.settle)

    async def _sweep(self, parts: "Parts") -> None:
        """Erase what was kept long enough, now and every hour, as long as the clock is not in doubt."""
        from interlayer.memory.erasure.retention_clock import ClockInDoubt

        principal = Principal(self.principal.organization, "retention")
        while True:
            try:
                until = await parts.memory.retention_clock.advance(principal.organization)
                self._without["retention"] = ""
                await parts.memory.expirer.expire(principal, until=until)
            except InterlayerError as error:
                if isinstance(error, ClockInDoubt):
                    self._without["retention"] = str(error)
                logger.warning("retention: %s It is tried again in an hour; nothing shows what has expired.", error)
            await anyio.sleep(_SWEEP_S)

    async def _watch(self, parts: "Parts") -> None:
        """Keep what is said of the embedding model and the published set up to date; no probe waits for either."""
        verified_until = 0.0
        while True:
            with suppress(InterlayerError):  # the item store, which is among the problems
                self._without["embedder"] = await embedder_trouble(parts, self.principal.organization)
                if self._without.get("policies") or anyio.current_time() >= verified_until:
                    self._without["policies"] = await policy_damage(parts, self.principal)
                    verified_until = anyio.current_time() + _VERIFIED_S
            await anyio.sleep(_WATCH_S)

    async def _prepare_parts(self) -> "Parts | None":
        """Return the parts when the home is in use; None when it cannot be. A store that is away is waited for."""
        while True:
            try:
                if self._parts is None:
                    self._parts = await anyio.to_thread.run_sync(_build, self.settings)
                await self._parts.prepare()
            except InterlayerError as error:
                if str(error) != str(self._cause):
                    logger.error("not ready: %s", error)
                self._cause = error
                self._readiness.set()
                if not isinstance(error, Unavailable):
                    return None
                await anyio.sleep(_AGAIN_S)
            else:
                self._cause = None
                self._readiness.set()
                return self._parts

    async def close(self) -> None:
        """Close the stores; idempotent."""
        if self._parts:
            await self._parts.close()

    async def _policy_versions(self) -> Mapping[str, object]:
        listing = await self.domains.governance.published(self.principal)
        return {policy.id: (policy.version, policy.waivers) for policy in listing.policies}

    async def _policy_versions_when_ready(self) -> Mapping[str, object]:
        self.greeted.set()  # somebody wants to listen, who may not call anything
        await self.ready()
        return await self._policy_versions()

    async def _ping_store(self) -> None:
        await self._require_parts().memory.spaces.check(self.principal.organization)

    async def _ping_index(self) -> None:
        space = await self._require_parts().memory.spaces.of(self.principal.organization)
        if space.made:
            await space.made.ping()

    def _require_parts(self) -> "Parts":
        if self._parts is None:
            raise Unavailable("the server is still starting; try again in a second.")
        return self._parts


@asynccontextmanager
async def running(interlayer: Interlayer) -> AsyncGenerator[Interlayer]:
    """Keep the background work of a server going, and close the stores afterwards."""
    try:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(interlayer.work)
            yield interlayer
            tasks.cancel_scope.cancel()
    finally:
        # Only now, when the work has really ended: a write in its thread is waited for, not cut off.
        with anyio.CancelScope(shield=True), anyio.move_on_after(_CLOSE_S):
            await interlayer.close()


def _build(settings: Settings) -> "Parts":
    from interlayer.app.composition import build

    return build(settings)
