"""The file that a running server leaves: its process, its address, and a word by which whoever reads it lets it reload."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from functory_sdk import StorageError, UsageError


@dataclass(frozen=True, slots=True)
class PidFile:
    """What such a file says, a line each.

    :param process: the server's number.
    :param url: its address, from this machine.
    :param word: nobody else has it.
    """

    process: int
    url: str
    word: str

    @classmethod
    def new(cls, url: str, word: str) -> PidFile:
        """Return what one says of this process."""
        for anywhere, here in (("//0.0.0.0:", "//127.0.0.1:"), ("//[::]:", "//[::1]:")):
            url = url.replace(anywhere, here)
        return cls(os.getpid(), url, word)

    @classmethod
    def read(cls, path: Path) -> PidFile:
        """Return what a file says.

        :raises StorageError: when it cannot be read.
        :raises UsageError: when no server wrote it.
        """
        try:
            process, url, word = path.read_text(encoding="ascii").split()
            return cls(int(process), url, word)
        except OSError as error:
            what = f"the file cannot be read: {error.strerror}."
            raise StorageError(what, where=str(path), do="ask as the user who started the server.") from None
        except ValueError:
            what = "the file is none that a server wrote."
            raise UsageError(what, where=str(path), do="start it by functory serve --pid-file FILE.") from None

    def write(self, path: Path) -> None:
        """Write it, for this user alone.

        :raises StorageError: when it cannot be written.
        """
        beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        try:
            with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
                file.write(f"{self.process}\n{self.url}\n{self.word}\n")
            beside.replace(path)
        except OSError as error:
            with suppress(OSError):
                beside.unlink()
            what = f"the pid file cannot be written: {error.strerror}."
            raise StorageError(what, where=str(path), do="name another.") from None


@contextmanager
def removed(path: Path | None) -> Iterator[None]:
    """Remove a pid file in the end, where it is this process's."""
    try:
        yield
    finally:
        if path is not None:
            with suppress(StorageError, UsageError, OSError):
                if PidFile.read(path).process == os.getpid():
                    path.unlink()
