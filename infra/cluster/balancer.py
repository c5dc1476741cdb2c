"""Hands connections out to the web processes in turn, past those that refuse them.

For trying out: it knows nothing of HTTP, so every visitor seems to come from this machine. In
service a reverse proxy or an Ingress stands in its place (docs/operations.md).
"""

import asyncio
import contextlib
import itertools
import threading
from collections.abc import Sequence

_PIECE = 64 * 1024
_PATIENCE = 1.0  # seconds until a web process that does not accept is passed over


class Balancer:
    """Listens on one port, in a thread of its own."""

    def __init__(self, host: str, port: int, behind: Sequence[int]) -> None:
        """`behind`: ports of this machine."""
        self._host, self._port = host, port
        self._turns = itertools.cycle(range(len(behind)))
        self._behind = list(behind)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def start(self) -> None:
        """Raises OSError where the port is taken."""
        self._thread.start()
        listening = asyncio.start_server(self._serve, self._host, self._port)
        asyncio.run_coroutine_threadsafe(listening, self._loop).result()

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.closing(writer):
            there = await self._connect()
            if there is None:
                return
            with contextlib.closing(there[1]):
                await asyncio.gather(_pump(reader, there[1]), _pump(there[0], writer))

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        first = next(self._turns)
        for port in self._behind[first:] + self._behind[:first]:
            with contextlib.suppress(OSError):
                async with asyncio.timeout(_PATIENCE):
                    return await asyncio.open_connection("127.0.0.1", port)
        return None


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Copy to the end. Whoever is cut off cuts off the other."""
    try:
        while piece := await reader.read(_PIECE):
            writer.write(piece)
            await writer.drain()
        writer.write_eof()
    except (OSError, RuntimeError):
        writer.close()
