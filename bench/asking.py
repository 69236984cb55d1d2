"""A client that costs little: connections that ask again as soon as they are answered, or at a pace. A program of its own.

``python asking.py PORT PATH --texts FILE --clients 64 --seconds 5`` prints what came back, as JSON. Written on bare sockets
in one event loop, of the standard library alone: what it takes of the machine is missing where something is computed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections import Counter
from pathlib import Path


class Asked:
    """What came back: statuses, and seconds of each answer that was one.

    :param until: when it ends, of the loop's clock.
    """

    def __init__(self, bodies: list[bytes], path: str, until: float, extra: str = "") -> None:
        head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n{extra}Content-Length: "
        self._asks = [f"{head}{len(body)}\r\n\r\n".encode() + body for body in bodies]
        self._next = 0
        self.until = until
        self.statuses: Counter[int] = Counter()
        self.seconds: list[float] = []
        self.at: list[float] = []
        """When each of those answers came."""

    def ask(self) -> bytes:
        """Return the next request."""
        self._next += 1
        return self._asks[self._next % len(self._asks)]


class Line(asyncio.Protocol):
    """One connection that asks, and asks again.

    :param idle: where it waits to be told when to ask; it asks again at once when None.
    """

    def __init__(self, asked: Asked, idle: list[Line] | None) -> None:
        self._asked, self._idle = asked, idle
        self._kept = b""
        self._begun = 0.0
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        if self._idle is None:
            self.ask(time.monotonic())
        else:
            self._idle.append(self)

    def ask(self, begun: float) -> None:
        """Ask once.

        :param begun: when it was to be asked, which is what its seconds count from.
        """
        self._begun = begun
        self._transport.write(self._asked.ask())

    def close(self) -> None:
        """Ask no more."""
        self._transport.close()

    def data_received(self, data: bytes) -> None:
        self._kept += data
        head, found, body = self._kept.partition(b"\r\n\r\n")
        if not found or len(body) < _length(head):
            return
        self._kept = b""
        now = time.monotonic()
        status = int(head[9:12])
        self._asked.statuses[status] += 1
        if status == 200:
            self._asked.seconds.append(now - self._begun)
            self._asked.at.append(now)
        if now >= self._asked.until:
            self._transport.close()
        elif self._idle is None:
            self.ask(now)
        else:
            self._idle.append(self)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._idle is not None and self in self._idle:
            self._idle.remove(self)
        if not self.over.done():
            self.over.set_result(None)


def _length(head: bytes) -> int:
    place = head.lower().find(b"content-length:")
    return int(head[place + 15 :].split(b"\r\n", 1)[0]) if place >= 0 else 0


async def ask(port: int, path: str, bodies: list[bytes], clients: int, seconds: float, rate: float, extra: str) -> Asked:
    """Ask for some seconds.

    :param rate: requests in a second, each by a connection that is idle; as many as are answered when 0.
    :param extra: lines of the requests' heads.
    """
    loop = asyncio.get_running_loop()
    asked = Asked(bodies, path, time.monotonic() + seconds, extra)
    idle: list[Line] | None = [] if rate else None
    lines = [(await loop.create_connection(lambda: Line(asked, idle), "127.0.0.1", port))[1] for _ in range(clients)]
    if idle is not None:
        await _paced(asked, idle, rate)
        await asyncio.sleep(0.2)
        for line in idle:
            line.close()
    await asyncio.wait([line.over for line in lines], timeout=60)
    return asked


async def _paced(asked: Asked, idle: list[Line], rate: float) -> None:
    """Ask at a pace; who finds no idle connection waits for one, and its seconds count from when it was to be asked."""
    due = time.monotonic()
    while (now := time.monotonic()) < asked.until:
        while due <= now and idle:
            idle.pop(0).ask(due)  # in turns: a connection that is never used is closed
            due += 1 / rate
        if due < now - 1:  # nobody is idle: those are not asked at all
            asked.statuses[0] += 1
            due += 1 / rate
        await asyncio.sleep(min(max(due - now, 0.001), 0.01))


def told(asked: Asked, seconds: float) -> dict[str, object]:
    """Return what came back, as plain data."""
    ordered = sorted(asked.seconds)
    at = (lambda share: ordered[min(len(ordered) - 1, int(share * len(ordered)))]) if ordered else (lambda share: None)
    return {"answers": len(ordered), "per_second": len(ordered) / seconds, "statuses": dict(asked.statuses),
            "p50": at(0.5), "p99": at(0.99), "most": at(1.0)}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("port", type=int)
    parser.add_argument("path")
    parser.add_argument("--texts", type=Path, required=True, help="a body a line")
    parser.add_argument("--clients", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--rate", type=float, default=0)
    parser.add_argument("--extra", default="", help="a line of each request's head")
    args = parser.parse_args()
    bodies = args.texts.read_bytes().splitlines()
    extra = f"{args.extra}\r\n" if args.extra else ""
    begun = time.monotonic()
    asked = asyncio.run(ask(args.port, args.path, bodies, args.clients, args.seconds, args.rate, extra))
    print(json.dumps({**told(asked, time.monotonic() - begun), "processor": time.process_time()}))


if __name__ == "__main__":
    main()
