"""Change notices: a publish, rollback or waiver, in whatever process, is told to every client of this one that listens.

The published set is watched while somebody listens, and not otherwise: the next call of any client obeys it anyway.
What it was is read before a client hears that it listens, so that no change after that is missed.
Clients of the protocol of 2026 hold a `subscriptions/listen` stream; older ones send `resources/subscribe` on their
connection, which a stateless HTTP server has none of: there they are told so.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import anyio
from mcp.server.connection import Connection
from mcp.server.context import ServerRequestContext
from mcp.server.mcpserver import MCPServer
from mcp.server.session import ServerSession
from mcp.server.subscriptions import InMemorySubscriptionBus, ListenHandler, ResourceUpdated, ServerEvent
from mcp.shared.exceptions import MCPError
from mcp.types import (
    INVALID_REQUEST,
    EmptyResult,
    SubscribeRequestParams,
    SubscriptionsListenRequestParams,
    SubscriptionsListenResult,
    UnsubscribeRequestParams,
)

from interlayer.errors import InterlayerError

_LOOK_S: Final = 0.5

logger = logging.getLogger(__name__)

States = Mapping[str, object]
"""The published set: policy id -> whatever changes when the policy or its waivers do."""


class PolicyNotices(InMemorySubscriptionBus):
    """Who listens in this process, and what tells them; `published` reads the set when the process is ready."""

    def __init__(self, published: Callable[[], Awaitable[States]]) -> None:
        super().__init__()
        self._published = published
        self._known: States = {}
        self._reading = anyio.Lock()
        self._listening = anyio.Event()
        self._streams = 0
        self._sessions: dict[str, dict[Connection, ServerSession]] = {}
        self._connections: set[Connection] = set()
        self._listen_stream = ListenHandler(self)
        self._end: Callable[[], Awaitable[None]] | None = None
        self._demand_reader: Callable[[], None] = _allow

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

    def serve(
        self,
        server: MCPServer[Any],
        demand_reader: Callable[[], None],
        end: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """Register what clients listen with; `MCPServer` itself serves streams alone, and reads nothing before.

        `demand_reader` raises `Refused` where the caller of the present request may not read. `end` returns when that
        caller is admitted no more; its stream ends then.
        """
        self._demand_reader = demand_reader
        self._end = end
        low = server._lowlevel_server  # pyright: ignore[reportPrivateUsage]
        low.add_request_handler("subscriptions/listen", SubscriptionsListenRequestParams, self._listen)
        low.add_request_handler("resources/subscribe", SubscribeRequestParams, self._add_session)
        low.add_request_handler("resources/unsubscribe", UnsubscribeRequestParams, self._drop_session)

    async def watch(self) -> None:
        """Tell of every change of the published set until cancelled."""
        while True:
            if not self._has_listeners:
                self._listening = anyio.Event()
                await self._listening.wait()
            await anyio.sleep(_LOOK_S)
            async with self._reading:
                await self._look()

    async def _look(self) -> None:
        """Tell how the set differs from the one that was known."""
        try:
            now = await self._published()
        except InterlayerError as error:
            logger.debug("change notices wait: %s", error)
            return
        known, self._known = self._known, now
        for name in sorted(name for name in known.keys() | now.keys() if known.get(name) != now.get(name)):
            await self._tell(f"policy://{name}")

    async def _begin(self) -> None:
        """Know what is published before somebody begins to listen; the caller then registers without waiting.

        Where it cannot be read, nothing counts as known: all of it is told when it can.
        """
        async with self._reading:
            if self._has_listeners:
                return
            self._known = {}
            try:
                self._known = await self._published()
            except InterlayerError as error:
                logger.debug("change notices begin with nothing known: %s", error)

    async def _tell(self, uri: str) -> None:
        await self.publish(ResourceUpdated(uri=uri))
        for session in list(self._sessions.get(uri, {}).values()):
            await session.send_resource_updated(uri)  # the SDK drops what a connection that is gone cannot take

    @property
    def _has_listeners(self) -> bool:
        return bool(self._streams or self._sessions)

    async def _listen(
        self, ctx: ServerRequestContext[Any, Any], params: SubscriptionsListenRequestParams
    ) -> SubscriptionsListenResult:
        self._demand_role()
        await self._begin()
        if self._end is None:
            return await self._listen_stream(ctx, params)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_cancel_after, self._end, tasks.cancel_scope)
            result = await self._listen_stream(ctx, params)
            tasks.cancel_scope.cancel()
            return result
        raise MCPError(INVALID_REQUEST, "the key or token of this stream is in force no more; listen with another one.")

    async def _add_session(self, ctx: ServerRequestContext[Any, Any], params: SubscribeRequestParams) -> EmptyResult:
        connection = _connection(ctx)
        if not connection.has_standalone_channel:
            raise MCPError(
                INVALID_REQUEST,
                "resources/subscribe: over HTTP this server keeps no session that could be told of a change. "
                "Listen with protocol 2026-07-28, or connect over stdio; the next call obeys a publish in any case.",
            )
        self._demand_role()
        await self._begin()
        if connection not in self._connections:
            self._connections.add(connection)
            connection.exit_stack.callback(self._leave, connection)
        self._sessions.setdefault(_plain(params.uri), {})[connection] = ctx.session
        self._listening.set()
        return EmptyResult()

    async def _drop_session(self, ctx: ServerRequestContext[Any, Any], params: UnsubscribeRequestParams) -> EmptyResult:
        self._forget(_plain(params.uri), _connection(ctx))
        return EmptyResult()

    def _demand_role(self) -> None:
        try:
            self._demand_reader()
        except InterlayerError as error:
            raise MCPError(INVALID_REQUEST, str(error)) from error

    def _leave(self, connection: Connection) -> None:
        self._connections.discard(connection)
        for uri in list(self._sessions):
            self._forget(uri, connection)

    def _forget(self, uri: str, connection: Connection) -> None:
        held = self._sessions.get(uri, {})
        held.pop(connection, None)
        if not held:
            self._sessions.pop(uri, None)


def _allow() -> None:
    pass


async def _cancel_after(end: Callable[[], Awaitable[None]], scope: anyio.CancelScope) -> None:
    await end()
    scope.cancel()


def _connection(ctx: ServerRequestContext[Any, Any]) -> Connection:
    """Find what a client's requests have in common; the SDK makes a session anew for each of them."""
    return ctx.session._connection  # pyright: ignore[reportPrivateUsage]


def _plain(uri: Any) -> str:
    return str(uri).rstrip("/")
