"""One running server: it answers at once, and builds what it stands on behind the first answer.

The domains take 0.3 s to import and a new home half a second to prepare. A client that only asks who we are, or which
tools there are, does not wait for either.
"""

import gc
import logging
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from typing import TYPE_CHECKING, Final

import anyio
import anyio.to_thread

from interlayer.app.mcp_server.notices import PolicyNotices
from interlayer.app.settings import Settings
from interlayer.errors import Corrupt, InterlayerError, Unavailable
from interlayer.principal import Principal
from interlayer_tools import Domains

if TYPE_CHECKING:
    from interlayer.app.access import Access
    from interlayer.app.composition import Parts
    from interlayer.models.embedder import Embedder

_GREETING_S: Final = 1.0
_LISTING_S: Final = 2.0
_PROBE_S: Final = 5.0
_CLOSE_S: Final = 4.0
_SWEEP_S: Final = 3_600.0
_AGAIN_S: Final = 2.0
_FOLLOW_S: Final = 1.0
_FOLLOW_AGAIN_S: Final = 30.0
_VERIFIED_S: Final = 60.0  # how long a published set that was read whole is not read again
_WATCH_S: Final = 2.0
_BACKLOG_S: Final = 10.0

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
            await _preload(parts, self.principal.organization)
            await _load_model(parts, self.principal.organization)
            gc.freeze()  # what was loaded by now stays: no search for garbage has to walk through it while calls wait
            tasks.start_soon(parts.memory.projector.run, self.principal.organization)
            tasks.start_soon(self._watch, parts)
            tasks.start_soon(self._sweep, parts)
            tasks.start_soon(_follow, parts, self.principal.organization)
            tasks.start_soon(_read_backlog, parts, self.principal.organization)
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
                self._without["embedder"] = await _trouble(parts, self.principal.organization)
                if self._without.get("policies") or anyio.current_time() >= verified_until:
                    self._without["policies"] = await _damage(parts, self.principal)
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


async def _trouble(parts: "Parts", organization: str) -> str:
    """Say what is wrong with the embedding model, which is asked only while something is."""
    embedder = (await parts.memory.spaces.of(organization)).embedder
    if embedder.trouble:
        with suppress(Unavailable):  # no cache knows this text
            await embedder.embed([f"ready at {anyio.current_time()}"], waiting=True)
    return embedder.trouble


async def _damage(parts: "Parts", principal: Principal) -> str:
    """Say what is damaged of the published set, which this process may have loaded while it was whole."""
    try:
        await parts.domains.governance.verify(principal)
    except Corrupt as error:
        return str(error)
    return ""


async def _preload(parts: "Parts", organization: str) -> None:
    """Load the models before the first call needs them."""
    try:
        space = await parts.memory.spaces.of(organization)
        await anyio.to_thread.run_sync(_load, space.embedder)
        await space.embedder.embed(["ready"], waiting=True)
    except InterlayerError as error:
        logger.warning("embedder: %s Recall ranks by words alone until it can be reached.", error)


def _load(embedder: "Embedder") -> None:
    from interlayer.models.words import word_vectors

    word_vectors().rows(["ready"])  # whatever the embedder, words have vectors of their own
    embedder.preload()


async def _follow(parts: "Parts", organization: str) -> None:
    """Look at the record of the embedding spaces, and get ready for one that is being built."""
    ready = ""
    while True:
        await anyio.sleep(_FOLLOW_S)
        try:
            record = await parts.memory.spaces.record(organization)
            if record and record.following and record.following.space.id != ready:
                space = parts.memory.spaces.active(record.following)
                await anyio.to_thread.run_sync(space.embedder.preload)
                await parts.domains.governance.make_ready(organization, space)
                ready = record.following.space.id
        except InterlayerError as error:
            logger.warning("embedding space: %s", error)
            await anyio.sleep(_FOLLOW_AGAIN_S)


async def _load_model(parts: "Parts", organization: str) -> None:
    """Import what asks models before the first call has to, if there is a model to ask."""
    try:
        if await parts.models.current(organization):
            from interlayer.models.vendor import loaded

            await loaded()
    except InterlayerError as error:
        logger.warning("model: %s", error)


async def _read_backlog(parts: "Parts", organization: str) -> None:
    """Have a model read what it could not read when it was memorized, as soon as that is due."""
    principal, memorizer = Principal(organization, "extraction"), parts.memory.memorizer
    while True:
        try:
            async with aclosing(memorizer.in_flight.resume(organization, memorizer.remember)) as resumed:
                async for one in resumed:
                    logger.warning("a call that a process left behind: %s", one)
            async with aclosing(parts.memory.rereader.work_off(principal)) as done:
                async for one in done:
                    if isinstance(one, str):
                        logger.warning("extraction is still pending: %s", one)
        except InterlayerError as error:
            logger.warning("extraction: %s It is tried again.", error)
        await anyio.sleep(_BACKLOG_S)


def _build(settings: Settings) -> "Parts":
    from interlayer.app.composition import build

    return build(settings)
