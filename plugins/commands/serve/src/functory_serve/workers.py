"""Worker processes on one socket, and the process that watches them: one that ends is replaced, and takes nobody with it.

They are forked before anything is opened, so that no thread of an engine is lost in them; what was imported and read by then is
in memory once. (OpenMP's threads, which loading may begin, are those of the thread that began them, and are missing in a fork: so
nothing is computed in the thread that was forked, and all in threads that a worker begins.) Connections wait at the socket, which
is everybody's: what nobody has taken yet, another worker takes.
"""

from __future__ import annotations

import os
import select
import signal
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass

from functory_sdk import FunctoryError, NotSupported, message_of, tell

WATCHED = ("SIGTERM", "SIGINT", "SIGHUP", "SIGCHLD")
SOON_SECONDS = 5.0
"""One that lived for less is replaced after a while, which doubles."""
LEAST_PAUSE, MOST_PAUSE = 0.1, 5.0


@dataclass(frozen=True, slots=True)
class Worker:
    """One of the processes.

    :param number: from 0; the one that replaces it has the same.
    :param is_first: whether it replaces none.
    :param started: told when it takes requests.
    """

    number: int
    is_first: bool
    started: Callable[[], None]


@dataclass(slots=True)
class _Process:
    number: int
    begun: float


class Supervisor:
    """Keeps a number of worker processes at work until it is told to end.

    :param count: how many.
    :param work: what each does, until SIGTERM; SIGHUP is handed on to it.
    :param patience: seconds for which they may go on when they are told to end.
    :raises NotSupported: on systems that cannot have them.
    """

    def __init__(self, count: int, work: Callable[[Worker], None], patience: float) -> None:
        if not hasattr(os, "fork") or not hasattr(signal, "sigtimedwait"):
            raise NotSupported("worker processes are not had on this system.", do="run several servers, behind a proxy.")
        self._count, self._work, self._patience = count, work, patience
        self._signals = {getattr(signal, name) for name in WATCHED}
        self._processes: dict[int, _Process] = {}
        self._due: dict[int, float] = {}
        """When the place of one that ended is filled again."""
        self._quick = [0] * count
        """How many in a row ended soon, place by place."""
        self._alive, self._life = os.pipe()
        """Whose end tells workers that nobody watches them any more."""
        self._first, self._tell = os.pipe()

    def run(self, started: Callable[[], None], reloading: Callable[[], None], ending: Callable[[], None]) -> None:
        """Work until SIGTERM or Ctrl-C; then let all of them answer what they have.

        :param started: told when the first of them takes requests.
        :param reloading: told when they are to reload.
        :param ending: told before they are to end.
        :raises FunctoryError: when they end before any takes requests.
        """
        before = signal.pthread_sigmask(signal.SIG_BLOCK, self._signals)
        try:
            for number in range(self._count):
                self._fork(number, before, is_first=True)
            os.close(self._tell)
            if self._has_started():
                started()
                self._watch(before, reloading)
        finally:
            ending()
            self._end()
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            for one in (self._alive, self._life, self._first):
                os.close(one)

    def _has_started(self) -> bool:
        """Wait until one takes requests; return False when told to end before.

        :raises FunctoryError: when all have ended.
        """
        while True:
            if select.select([self._first], [], [], 0.1)[0]:
                if os.read(self._first, 1):
                    return True
                raise FunctoryError("the workers ended before they took requests.", do="look at what they wrote on stderr.")
            told = signal.sigtimedwait(self._signals - {signal.SIGCHLD}, 0)
            if told is not None and told.si_signo != signal.SIGHUP:
                return False

    def _watch(self, before: Iterable[int], reloading: Callable[[], None]) -> None:
        """Replace those that end, and hand on what is told, until told to end."""
        while True:
            now = time.monotonic()
            for number in [number for number, due in self._due.items() if due <= now]:
                del self._due[number]
                self._fork(number, before, is_first=False)
            told = signal.sigtimedwait(self._signals, max(0.01, min(self._due.values(), default=now + 1) - now))
            self._reap()
            if told is not None and told.si_signo in (signal.SIGTERM, signal.SIGINT):
                return
            if told is not None and told.si_signo == signal.SIGHUP:
                reloading()
                self._send(signal.SIGHUP)

    def _reap(self) -> None:
        """Take leave of those that ended, and say when others take their places."""
        for pid, status in _ended():
            process = self._processes.pop(pid, None)
            if process is None:
                continue
            now = time.monotonic()
            number, is_quick = process.number, now - process.begun < SOON_SECONDS
            pause = min(MOST_PAUSE, LEAST_PAUSE * 2 ** self._quick[number]) if is_quick else 0.0
            self._quick[number] = self._quick[number] + 1 if is_quick else 0
            self._due[number] = now + pause
            tell(f"functory serve: worker {number} {_how(status)}; another takes its place.")

    def _end(self) -> None:
        """Tell all to end, and see to it that they do."""
        self._send(signal.SIGTERM)
        until = time.monotonic() + self._patience
        while self._processes and time.monotonic() < until:
            told = signal.sigtimedwait(self._signals, 0.2)
            for pid, _ in _ended():
                self._processes.pop(pid, None)
            if told is not None and told.si_signo == signal.SIGINT:
                break
        self._send(signal.SIGKILL)
        for pid in self._processes:
            with suppress(ChildProcessError):
                os.waitpid(pid, 0)

    def _send(self, number: signal.Signals) -> None:
        for pid in self._processes:
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    def _fork(self, number: int, before: Iterable[int], *, is_first: bool) -> None:
        pid = os.fork()
        if pid:
            self._processes[pid] = _Process(number, time.monotonic())
            return
        code = 1
        try:
            os.setpgid(0, 0)  # Ctrl-C at a terminal is the supervisor's to hand on
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            os.close(self._life)
            threading.Thread(target=self._outlive, name="functory-serve-life", daemon=True).start()
            self._work(Worker(number, is_first, self._say if is_first else lambda: None))
            code = 0
        except BaseException as error:
            tell(f"functory serve: worker {number} cannot work: {message_of(error)}")
        finally:
            os._exit(code)

    def _say(self) -> None:
        with os.fdopen(self._tell, "wb", closefd=False) as supervisor:
            supervisor.write(b".")

    def _outlive(self) -> None:
        """End this worker when the supervisor is no more."""
        os.read(self._alive, 1)
        os.kill(os.getpid(), signal.SIGTERM)


def _ended() -> list[tuple[int, int]]:
    """Return the processes that have ended, and how."""
    found = []
    with suppress(ChildProcessError):
        while (one := os.waitpid(-1, os.WNOHANG))[0]:
            found.append(one)
    return found


def _how(status: int) -> str:
    code = os.waitstatus_to_exitcode(status)
    return f"was ended by signal {-code}" if code < 0 else f"ended with code {code}"
