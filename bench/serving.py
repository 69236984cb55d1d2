"""Functions over HTTP: ``python ../scripts/environments.py serving serving.py``, all in turns, in one run.

Server and client share the machine's cores. Ours has as many workers as there are threads, and beside it stands one with a
single worker. Capacity is what `map` does with all threads while the same client asks an echo server as often as ours was asked.
LitServe computes the same function, by the same `map`, at the best of nine settings with one worker, and of the same nine with as
many workers as ours.

Goals: 90 % of capacity at 64 clients; 1.2 times LitServe at no worse a p99; a lone request 1.25 times an echo and a call.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from cells.data import rows
from measure import keep, median, verdict

HERE = Path(__file__).parent
SETTINGS = [(batch, wait) for batch in (16, 32, 64) for wait in (0.001, 0.01, 0.05)]
LONE = 1.25
ECHO = """
import sys, uvicorn
async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    length = str(len(body)).encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", length)]})
    await send({"type": "http.response.body", "body": body})
uvicorn.run(app, port=int(sys.argv[1]), log_level="error", access_log=False)
"""
"""An application of as few lines as there are, in the same server as ours: it gives back what it got."""
WORK = """
import json, sys, time, functory
fn = functory.load(sys.argv[1], threads=int(sys.argv[2]))
texts = [json.loads(line)["text"] for line in open(sys.argv[3])]
list(fn.map(texts[:512], progress=False))
for line in sys.stdin:
    what, seconds = line.split()
    begun, done, took = time.perf_counter(), 0, []
    while (now := time.perf_counter()) < begun + float(seconds):
        if what == "map":
            done += len(list(fn.map(texts, progress=False)))
        else:
            fn(texts[done % len(texts)]).json()
            done += 1
            took.append(time.perf_counter() - now)
    told = {"per_second": done / (time.perf_counter() - begun), "p50": sorted(took)[len(took) // 2] if took else 0}
    print(json.dumps(told), flush=True)
"""
"""`map`, or calls one by one, for as long as a line says."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--function", type=Path, help="a saved function; one on MiniLM is built when not given")
    parser.add_argument("--name", default="serving", help="of the result")
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--no-peer", action="store_true", help="leave LitServe out")
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # and end what was started
    with ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folder = args.function or built(place)
        bodies = written(place / "bodies.jsonl")
        Run(folder, bodies, args, stack).all()


def built(place: Path) -> Path:
    """Return where a function on MiniLM is saved."""
    from measure import build

    fn = build(
        task="text-classification", train="samples:rotten-tomatoes", backbone="minilm", limit=1000, name="sentiment",
        adaptation={"name": "head", "hidden": 0},
    )  # fmt: skip
    return fn.save(place / "sentiment")


def written(file: Path) -> Path:
    """Write a request's body a line: SST-2's texts."""
    lines = [json.dumps({"text": row["text"]}, ensure_ascii=False) for row in rows("sst2", "test")]
    file.write_text("\n".join(lines), encoding="utf-8")
    return file


def ended(process: subprocess.Popen[bytes]) -> None:
    """End a server and all that it started: LitServe's processes outlive it, and each that waits takes a share of a core."""
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(10)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


class Run:
    """All that runs side by side, and what was measured of it."""

    def __init__(self, folder: Path, bodies: Path, args: argparse.Namespace, stack: ExitStack) -> None:
        self.folder, self.bodies, self.args, self.stack = folder, bodies, args, stack
        self.found: dict[str, list[dict[str, Any]]] = {}

    def all(self) -> None:
        """Measure, and keep it."""
        args = self.args
        ours, single = (self._ours(workers) for workers in (args.threads, 1))
        echo = self._started([sys.executable, "-c", ECHO, "{port}"], "/")
        work = self.stack.enter_context(subprocess.Popen(
            [sys.executable, "-c", WORK, str(self.folder), str(args.threads), str(self.bodies)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))  # fmt: skip
        self.stack.callback(work.kill)
        best = {} if args.no_peer else {workers: self._best_peer(workers) for workers in dict.fromkeys((1, args.threads))}
        peers = {workers: self._peer(*setting, workers) for workers, setting in best.items()}
        for _ in range(args.repeats):
            self._turn(ours, single, echo, work, peers)
        self._keep({workers: f"batch {batch}, wait {wait:g} s" for workers, (batch, wait) in best.items()})

    def _ours(self, workers: int) -> int:
        """Return a port where our server listens."""
        return self._started([sys.executable, "-m", "functory", "serve", f"sentiment={self.folder}", "--port", "{port}",
                              "--workers", str(workers)], "/readyz")  # fmt: skip

    def _turn(self, ours: int, single: int, echo: int, work: subprocess.Popen[str], peers: dict[int, int]) -> None:
        route = "/v1/functions/sentiment"
        at64 = self._note("ours, 64 clients", self._asked(ours, route, 64))
        for workers, port in peers.items():
            self._note(f"litserve, {workers} worker(s), 64 clients", self._asked(port, "/predict", 64))
        self._note("capacity: map beside an echo", self._beside(echo, work, at64["per_second"]))
        self._note("ours, one worker, 64 clients", self._asked(single, route, 64))
        self._note("ours, 16 clients", self._asked(ours, route, 16))
        self._note("ours, 1 client", self._asked(ours, route, 1))
        self._note("echo, 1 client", self._asked(echo, "/", 1))
        self._note("a call", self._worked(work, "call"))
        self._note("ours, one worker, 1 client", self._asked(single, route, 1))
        for workers, port in peers.items():
            self._note(f"litserve, {workers} worker(s), 1 client", self._asked(port, "/predict", 1))

    def _best_peer(self, workers: int) -> tuple[int, float]:
        """Return LitServe's best setting with so many workers, each having been tried."""
        found: dict[tuple[int, float], float] = {}
        for batch, wait in SETTINGS:
            process, port = self._process(self._litserve(batch, wait, workers), "/health")
            self._asked(port, "/predict", 64, 1)
            name = f"litserve tried, {workers} worker(s), batch {batch}, wait {wait:g} s"
            found[batch, wait] = self._note(name, self._asked(port, "/predict", 64, 3))["per_second"]
            ended(process)
        return max(found, key=lambda setting: found[setting])

    def _peer(self, batch: int, wait: float, workers: int) -> int:
        """Return a port where LitServe listens, warm."""
        port = self._started(self._litserve(batch, wait, workers), "/health")
        self._asked(port, "/predict", 64, 1)
        return port

    def _litserve(self, batch: int, wait: float, workers: int) -> list[str]:
        threads = max(1, self.args.threads // workers)
        return [sys.executable, str(HERE / "litserve_app.py"), str(self.folder), "{port}", str(batch), str(wait), str(threads),
                str(workers)]  # fmt: skip

    def _beside(self, echo: int, work: subprocess.Popen[str], rate: float) -> dict[str, Any]:
        """Return what `map` does while a client asks the echo server at a rate."""
        seconds = self.args.seconds
        client = subprocess.Popen(self._client(echo, "/", 64, seconds + 2, rate), stdout=subprocess.PIPE, text=True)
        time.sleep(0.5)
        found = self._worked(work, "map")
        client.communicate()
        return found

    def _worked(self, work: subprocess.Popen[str], what: str) -> dict[str, Any]:
        assert work.stdin is not None
        assert work.stdout is not None
        print(what, self.args.seconds, file=work.stdin, flush=True)
        found: dict[str, Any] = json.loads(work.stdout.readline())
        return found

    def _asked(self, port: int, path: str, clients: int, seconds: float = 0) -> dict[str, Any]:
        command = self._client(port, path, clients, seconds or self.args.seconds, 0)
        found: dict[str, Any] = json.loads(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout)
        return found

    def _client(self, port: int, path: str, clients: int, seconds: float, rate: float) -> list[str]:
        return [sys.executable, str(HERE / "asking.py"), str(port), path, "--texts", str(self.bodies), "--clients", str(clients),
                "--seconds", str(seconds), "--rate", str(rate)]  # fmt: skip

    def _started(self, command: list[str], path: str) -> int:
        return self._process(command, path)[1]

    def _process(self, command: list[str], path: str) -> tuple[subprocess.Popen[bytes], int]:
        """Start a server on a free port; return it when it answers."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        process = subprocess.Popen([one.format(port=port) if one == "{port}" else one for one in command],
                                   stdout=subprocess.DEVNULL, start_new_session=True)  # fmt: skip
        self.stack.callback(ended, process)
        for _ in range(1200):
            try:
                with urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
                    if answer.status == 200:
                        return process, port
            except OSError:
                if process.poll() is not None:
                    raise SystemExit(f"a server ended: {command}") from None
                time.sleep(0.1)
        raise SystemExit(f"a server never answered: {command}")

    def _note(self, what: str, found: dict[str, Any]) -> dict[str, Any]:
        self.found.setdefault(what, []).append(found)
        print(what, json.dumps(found), file=sys.stderr)
        return found

    def _keep(self, settings: dict[int, str]) -> None:
        """Keep what was measured.

        :param settings: LitServe's best, by its workers.
        """
        table = [
            {"what": what, "per_second": self._of(what, "per_second"), "p50_ms": self._of(what, "p50") * 1000,
             "p99_ms": self._of(what, "p99") * 1000, "runs": len(some)}
            for what, some in self.found.items()
        ]  # fmt: skip
        ours, capacity = "ours, 64 clients", "capacity: map beside an echo"
        share, single = self._times(ours, capacity), self._times("ours, one worker, 64 clients", capacity)
        lone = self._of("ours, 1 client", "p50") / (self._of("echo, 1 client", "p50") + self._of("a call", "p50"))
        reached = "reached" if lone <= LONE else f"NOT reached (at most {LONE}×)"
        notes = [f"{share:.0%} of capacity at 64 clients: {verdict(share, 0.9)}, {single:.0%} by one worker",
                 f"a lone request {lone:.2f}× an echo and a call: {reached}"]  # fmt: skip
        for workers, setting in settings.items():
            peer = f"litserve, {workers} worker(s), 64 clients"
            times, tails = self._times(ours, peer), self._of(ours, "p99") / self._of(peer, "p99")
            notes.append(f"{times:.2f}× LitServe with {workers} worker(s) at its best ({setting}): {verdict(times, 1.2)}, "
                         f"with {tails:.2f}× its p99")  # fmt: skip
        args = self.args
        keep(args.name, table, f"{'; '.join(notes)}. {args.threads} threads, as many workers, {args.repeats} runs in turns.")

    def _of(self, what: str, key: str) -> float:
        return median([one.get(key) or 0.0 for one in self.found[what]])

    def _times(self, one: str, other: str) -> float:
        """Return how many times as many answers one gave as the other, in the same turn."""
        pairs = zip(self.found[one], self.found[other], strict=True)
        return median([each["per_second"] / beside["per_second"] for each, beside in pairs])


if __name__ == "__main__":
    main()
