"""A pseudo-terminal, and what a person would see on it: bars come and go there, and output must stay whole."""

from __future__ import annotations

import os
import re
import threading
from contextlib import suppress
from types import TracebackType
from typing import TextIO

_STEPS = re.compile(r"\x1b\[(\d*)([A-Za-z])|\r|\n|[^\x1b\r\n]+")


class Terminal:
    """A terminal of 80 columns (not on Windows). What is written to `stream` is in `text` when it was left.

        with Terminal() as terminal:
            print("a line", file=terminal.stream)
        assert terminal.screen() == "a line"

    :ivar stream: what a program has as stderr, or as stdout too.
    :ivar text: all that was written, control sequences too.
    """

    def __enter__(self) -> Terminal:
        import fcntl
        import pty
        import struct
        import termios

        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.stream: TextIO = os.fdopen(slave, "w", encoding="utf-8", buffering=1)
        self.text = ""
        self._read: list[bytes] = []
        self._reader = threading.Thread(target=self._drain, daemon=True)
        self._reader.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stream.close()
        self._reader.join()
        os.close(self._master)
        self.text = b"".join(self._read).decode("utf-8", "replace").replace("\r\n", "\n")

    def _drain(self) -> None:
        """Read until the last of those who write has closed."""
        with suppress(OSError):
            while piece := os.read(self._master, 65536):
                self._read.append(piece)

    def screen(self) -> str:
        """Return the lines that stand there in the end."""
        return screen(self.text)


def screen(text: str) -> str:
    """Return the lines that stand on a terminal after a text with carriage returns and control sequences.

    It knows what bars use: to go up, and to clear a line; colours are left out.
    """
    lines, row, column = [""], 0, 0
    for found in _STEPS.finditer(text):
        count, command = found[1], found[2]
        if found[0] == "\n":
            row, column = row + 1, 0
            if row == len(lines):
                lines.append("")
        elif found[0] == "\r":
            column = 0
        elif command == "A":
            row = max(0, row - int(count or 1))
        elif command == "K":
            lines[row] = "" if count == "2" else lines[row][:column]
        elif command is None:
            line = lines[row].ljust(column)
            lines[row] = line[:column] + found[0] + line[column + len(found[0]) :]
            column += len(found[0])
    return "\n".join(line.rstrip() for line in lines).rstrip("\n")
