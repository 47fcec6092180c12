"""A lease: one holder at a time among processes that share nothing but a store with conditional writes.

The holder writes a new mark every few seconds. Whoever waits takes over when one mark has stood unchanged for
`LEASE_S` by its own clock: clocks are never compared between machines. A holder that stalls for longer can be
overtaken; it is told so by `kept`, before it reports success.
"""

import random
import threading
import uuid
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final, Protocol

import anyio
import anyio.to_thread

from interlayer.errors import Unavailable

LEASE_S: Final = 10.0
_RENEW_S: Final = 2.0
_POLL_S: Final = 0.15


class Busy(Unavailable):
    """Somebody else holds the lease."""


@dataclass(frozen=True, slots=True)
class Mark:
    """What a register holds: the store's token of this very state, and the holder's mark, empty when nobody holds."""

    token: str
    text: str


class Register(Protocol):
    """One value that is only ever changed by whoever has seen its latest state. Calls block."""

    name: str

    def read(self) -> Mark | None:
        """Read what is there now; None if nothing ever was."""
        ...

    def write(self, text: str, expect: str | None) -> str | None:
        """Replace the state with this token (None: nothing is there); return the new token, None if it has changed."""
        ...


class Lease:
    """A lease that is held, and renewed by a thread until it is let go of."""

    def __init__(self, register: Register, holder: str, token: str) -> None:
        self._register = register
        self._holder = holder
        self._token: str | None = token
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._keep, daemon=True)
        self._thread.start()

    def kept(self) -> None:
        """Raise `Unavailable` if another process has taken over in the meantime."""
        if self._token is None:
            raise Unavailable(f"{self._register.name}: this process stalled and lost its lease. Run it again.")

    def renew(self) -> None:
        """Write a new mark, as the thread does every few seconds; blocks for a request."""
        self._try_write(f"{self._holder} {uuid.uuid4().hex}")

    def end(self) -> None:
        """Let go; blocks for a request at most. Where that fails, others wait until the lease has run out."""
        self._ended.set()
        self._thread.join()
        self._try_write("")

    def _keep(self) -> None:
        while not self._ended.wait(_RENEW_S) and self._token is not None:
            self.renew()

    def _try_write(self, text: str) -> None:
        if self._token is None:
            return
        try:
            self._token = self._register.write(text, self._token)
        except Unavailable:  # renewed at the next turn, or run out
            return


class Leases:
    """The leases that one process asks for, by register: what it has seen of others' outlives a single attempt."""

    def __init__(self, now_s: Callable[[], float] = anyio.current_time) -> None:
        self._now_s = now_s
        self._seen: dict[str, tuple[str, float]] = {}

    @asynccontextmanager
    async def hold(self, register: Register, wait_s: float) -> AsyncGenerator[Lease]:
        """Hold the lease. Raises `Busy` when somebody else still holds it after `wait_s` seconds."""
        lease = await self._take(register, wait_s)
        try:
            yield lease
        finally:
            with anyio.CancelScope(shield=True):
                await anyio.to_thread.run_sync(lease.end)

    async def _take(self, register: Register, wait_s: float) -> Lease:
        holder = uuid.uuid4().hex
        deadline = self._now_s() + wait_s
        lease: Lease | None = None
        while True:
            with anyio.CancelScope(shield=True):  # a mark that was written is let go of again
                lease = await anyio.to_thread.run_sync(self._attempt, register, holder, self._now_s())
            if lease:
                return lease
            if self._now_s() >= deadline:
                raise Busy(f"{register.name}: another process is preparing or erasing. Try again.")
            await anyio.sleep(random.uniform(_POLL_S / 3, _POLL_S))  # noqa: S311 (spreads attempts, protects nothing)

    def _attempt(self, register: Register, holder: str, now_s: float) -> Lease | None:
        mark = register.read()
        if mark and mark.text.startswith(holder):  # written by an attempt whose answer was lost
            return Lease(register, holder, mark.token)
        if mark and mark.text and not self._has_run_out(register.name, mark.token, now_s):
            return None
        token = register.write(f"{holder} {uuid.uuid4().hex}", mark.token if mark else None)
        return Lease(register, holder, token) if token else None

    def _has_run_out(self, name: str, token: str, now_s: float) -> bool:
        seen, since_s = self._seen.get(name, ("", now_s))
        if seen != token:
            self._seen[name] = (token, now_s)
            return False
        return now_s - since_s >= LEASE_S
