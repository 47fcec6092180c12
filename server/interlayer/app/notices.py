"""Change notices: a publish or rollback, in whatever process, is told to every client of this one that listens.

The published set is watched while somebody listens, and not otherwise: the next call of any client obeys it anyway.
Clients of the protocol of 2026 hold a `subscriptions/listen` stream; older ones send `resources/subscribe` on their
session, which a stateless HTTP server has none of.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import anyio
from mcp.server.context import ServerRequestContext
from mcp.server.mcpserver import MCPServer
from mcp.server.session import ServerSession
from mcp.server.subscriptions import InMemorySubscriptionBus, ResourceUpdated, ServerEvent
from mcp.types import EmptyResult, SubscribeRequestParams, UnsubscribeRequestParams

from interlayer.errors import InterlayerError

_LOOK_S: Final = 1.0

logger = logging.getLogger(__name__)

Versions = Mapping[str, int]
"""The published set: policy id -> version."""


class PolicyNotices(InMemorySubscriptionBus):
    """Who listens in this process, and what tells them."""

    def __init__(self) -> None:
        super().__init__()
        self._listening = anyio.Event()
        self._streams = 0
        self._sessions: dict[str, list[ServerSession]] = {}

    def subscribe(self, listener: Callable[[ServerEvent], None]) -> Callable[[], None]:
        """Register a listener and return what takes it out again."""
        leave = super().subscribe(listener)
        self._streams += 1
        self._listening.set()
        there = True

        def unsubscribe() -> None:
            nonlocal there
            if there:
                self._streams -= 1
            there = False
            leave()

        return unsubscribe

    def serve_older_clients(self, server: MCPServer[Any]) -> None:
        """Register what protocols before 2026 subscribe with; `MCPServer` leaves it unserved."""
        older = server._lowlevel_server  # pyright: ignore[reportPrivateUsage]
        older.add_request_handler("resources/subscribe", SubscribeRequestParams, self._add_session)
        older.add_request_handler("resources/unsubscribe", UnsubscribeRequestParams, self._drop_session)

    async def watch(self, published: Callable[[], Awaitable[Versions]]) -> None:
        """Tell of every change of the published set until cancelled; `published` reads it."""
        known: Versions | None = None
        while True:
            if not self._has_listeners:
                self._listening = anyio.Event()
                known = None
                await self._listening.wait()
            known = await self._told(published, known)
            await anyio.sleep(_LOOK_S)

    async def _told(self, published: Callable[[], Awaitable[Versions]], known: Versions | None) -> Versions | None:
        """Return the set as it is now, after its differences from the one that was known have been told."""
        try:
            now = await published()
        except InterlayerError as error:
            logger.debug("change notices wait: %s", error)
            return known
        if known is not None:
            for name in sorted(name for name in known.keys() | now.keys() if known.get(name) != now.get(name)):
                await self._tell(f"policy://{name}")
        return now

    async def _tell(self, uri: str) -> None:
        await self.publish(ResourceUpdated(uri=uri))
        for session in list(self._sessions.get(uri, ())):
            try:
                await session.send_resource_updated(uri)
            except (anyio.ClosedResourceError, anyio.BrokenResourceError):
                self._forget(uri, session)

    @property
    def _has_listeners(self) -> bool:
        return bool(self._streams or self._sessions)

    async def _add_session(self, ctx: ServerRequestContext[Any, Any], params: SubscribeRequestParams) -> EmptyResult:
        sessions = self._sessions.setdefault(_plain(params.uri), [])
        if ctx.session not in sessions:
            sessions.append(ctx.session)
        self._listening.set()
        return EmptyResult()

    async def _drop_session(self, ctx: ServerRequestContext[Any, Any], params: UnsubscribeRequestParams) -> EmptyResult:
        self._forget(_plain(params.uri), ctx.session)
        return EmptyResult()

    def _forget(self, uri: str, session: ServerSession) -> None:
        left = [one for one in self._sessions.pop(uri, []) if one is not session]
        if left:
            self._sessions[uri] = left


def _plain(uri: Any) -> str:
    return str(uri).rstrip("/")
