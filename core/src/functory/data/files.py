"""One file as readers see it: its name, its first bytes, its lines, and what is to be said of it."""

from __future__ import annotations

import io
import re
import shlex
from collections.abc import Iterator
from contextlib import suppress
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import BinaryIO, NamedTuple, TextIO

from functory.data.encodings import certain, decoded, exists, likely
from functory.data.packing import ENDINGS, HEAD, packing_of, peeked, unpacked
from functory.errors import DataError, OptionError
from functory.machine.storage import is_folder, meaning
from functory.machine.written import MARKS

_ESCAPED = re.compile("[\udc80-\udcff]")


class Doubt(NamedTuple):
    """Why a file may have been read in the wrong way.

    :param what: what speaks for it, without a final full stop.
    :param do: what to do if it is so, without a final full stop.
    :param is_strong: whether it is so in all likelihood.
    """

    what: str
    do: str
    is_strong: bool = False


class DataFile:
    """A file, opened, unpacked and looked at. It is read once, from its beginning to its end: it may be a pipe.

    :ivar path: where it is.
    :ivar name: what places are named after: ``reviews.csv``.
    :ivar ending: the ending of its name in small letters, without that of a packing: ``.csv``.
    :ivar head: its first bytes, unpacked; none for a folder.
    :ivar is_folder: whether it is a folder, of which a reader knows the files.
    :ivar encoding: the encoding of its text: as the user said, or as its bytes tell.
    :ivar bad: line number (from 1) → where in the file, in bytes from 0, the first byte lies that is no UTF-8; -1 where
        only the line is known. Filled while the lines are read.
    :ivar notes: what a person should know of it, filled while it is read.
    :ivar doubt: why it may have been read in the wrong way; looked at where its columns do not fit.
    """

    def __init__(self, path: Path, encoding: str = "", *, name: str = "") -> None:
        """Open a file.

        :param encoding: the encoding of its text, where its bytes do not tell.
        :param name: what places are named after; the file's own name when empty.
        :raises DataError: when there is no such file, or it cannot be read or unpacked.
        :raises OptionError: when there is no such encoding.
        """
        if encoding and not exists(encoding):
            raise OptionError(
                f"there is no encoding {encoding!r}.", do="such as utf-8, utf-16, gb18030, big5, shift_jis, cp1252, latin-1."
            )
        self.path, self.name, self.is_folder = path, name or path.name, is_folder(path)
        endings = [ending.lower() for ending in path.suffixes]
        self.packing = ""
        if endings and endings[-1] in ENDINGS:
            endings.pop()
        self.ending = endings[-1] if endings else ""
        self.bad: dict[int, int] = {}
        self.notes: list[str] = []
        self.doubt: Doubt | None = None
        self.head: bytes = b""
        self._stream: BinaryIO | None = None
        if not self.is_folder:
            self.head, self._stream = self._open()
        self._named = encoding
        self.encoding = encoding or certain(self.head)

    def _open(self) -> tuple[bytes, BinaryIO]:
        """Return the first bytes and the whole stream, unpacked."""
        try:
            stream: BinaryIO = self.path.open("rb")
        except FileNotFoundError:
            raise DataError(f"there is no file {self.path}.", do=_near(self.path)) from None
        except (OSError, ValueError) as error:
            raise DataError(
                f"it cannot be read: {meaning(error)}.", where=str(self.path), do="check the file and its permissions."
            ) from None
        head, stream = peeked(stream, self.name)
        self.packing = packing_of(head)
        if self.packing:
            head, stream = peeked(unpacked(stream, self.packing, str(self.path)), self.name, self.packing)
        return head, stream

    def stream(self) -> BinaryIO:
        """Return the file's bytes, unpacked.

        :raises DataError: for a folder.
        """
        if self._stream is None:
            raise DataError(
                f"{self.path} is a folder, not a file.", do=f"give its files: {shlex.quote(f'{self.path}/*.csv')}."
            )
        return self._stream

    def seekable(self) -> BinaryIO:
        """Return the file's bytes, unpacked, where a format must jump about in them; packed ones are held in memory."""
        if not self.packing and self.path.is_file():
            return self.path.open("rb")
        return io.BytesIO(self.stream().read())

    def text(self) -> TextIO:
        """Return the file's text as it stands, line ends included; a byte that is none is an error.

        :raises DataError: while it is read, see `lines`.
        """
        self._refuse_empty()
        return _Strict(self.stream(), self)

    def lines(self) -> Iterator[str]:
        """Yield the file's lines with their ends; a byte that is none in its encoding stands as a lone surrogate (PEP 383),
        and its line in `bad`. Where no line feed is found, a carriage return ends a line.

        :raises DataError: when the file is empty, or is not in its encoding at all.
        """
        self._refuse_empty()
        if self.encoding in ("utf-8", "utf-8-sig") and not self._is_old_mac:
            return self._utf8_lines()
        return self._other_lines()

    def place(self, line: int) -> str:
        """Return a line's place."""
        return f"{self.name}, line {line}"

    @cached_property
    def head_lines(self) -> list[str]:
        """The first lines, with their ends; the last is whole only where the head is the whole file."""
        text = decoded(self.head, self.encoding).removeprefix("\ufeff")
        if self._is_old_mac:
            text = text.replace("\r", "\n")
        lines = list(io.StringIO(text, newline="\n"))
        return lines[:-1] if len(self.head) >= HEAD and len(lines) > 1 else lines

    def complaint(self, line: int) -> str:
        """Return what is wrong with a line in `bad`."""
        offset = self.bad[line]
        name = "UTF-8" if self.encoding.startswith("utf-8") else self.encoding
        return f"invalid {name} at byte {offset:,}" if offset >= 0 else f"the line is not valid {name}"

    @cached_property
    def remedy(self) -> str:
        """What to do about a line in `bad`: the encoding in which it reads well, or one to be named."""
        if self._named:
            return f"name the file's encoding: --encoding NAME (now {self._named}), or correct the line."
        sample = self.head if self._is_mixed(self.head) is False else self._first_bad
        if self._is_mixed(self.head):
            return "the rest of the file is UTF-8: correct this line or leave it out."
        name, words = likely(sample)
        if name:
            return f"as {name} it reads {words!r}: if that is right, --encoding {name} (encoding={name!r})."
        return "name the file's encoding: --encoding NAME, such as gb18030, big5, shift_jis, cp1252, latin-1."

    def close(self) -> None:
        """Close the file."""
        if self._stream is not None:
            self._stream.close()

    _first_bad = b""

    @cached_property
    def _is_old_mac(self) -> bool:
        """Whether lines end with a carriage return alone."""
        text = decoded(self.head, self.encoding)
        return "\n" not in text and "\r" in text

    def _refuse_empty(self) -> None:
        """Refuse a file that holds nothing.

        :raises DataError: then.
        """
        if not self.is_folder and not decoded(self.head, self.encoding).strip("\ufeff\0 \t\r\n") and len(self.head) < HEAD:
            raise DataError("the file is empty.", where=self.name, do="give a file with a header line and examples.")

    def _utf8_lines(self) -> Iterator[str]:
        offset = 0
        for number, raw in enumerate(self.stream(), 1):
            try:
                text = raw.decode()
            except UnicodeDecodeError as error:
                self.bad[number] = offset + error.start
                self._first_bad = self._first_bad or raw
                text = raw.decode("utf-8", "surrogateescape")
            offset += len(raw)
            yield text.removeprefix("\ufeff") if number == 1 else text

    def _other_lines(self) -> Iterator[str]:
        newline = "\r" if self._is_old_mac else "\n"
        wrapper = io.TextIOWrapper(self.stream(), self.encoding, "surrogateescape", newline=newline)
        number = 0
        while True:
            number += 1
            try:
                line = wrapper.readline()
            except UnicodeError:
                raise _not_in(self, number) from None
            if not line:
                return
            if not line.isascii() and _ESCAPED.search(line):
                self.bad[number] = -1
                self._first_bad = self._first_bad or line.encode("utf-8", "surrogateescape")
            if number == 1:
                line = line.removeprefix("\ufeff")
            yield f"{line[:-1]}\n" if self._is_old_mac and line.endswith("\r") else line

    def _is_mixed(self, head: bytes) -> bool | None:
        """Return whether bytes hold both characters of several bytes in UTF-8 and bytes that are none; None without the
        latter.
        """
        text = head.decode("utf-8", "surrogateescape")
        cut = _ESCAPED.sub("", text[:-4])
        if cut == text[:-4]:
            return None
        return sum(character > "\x7f" for character in cut) > len(text[:-4]) - len(cut)


class _Strict(io.TextIOWrapper):
    """A file's text, of which every byte must be text."""

    def __init__(self, stream: BinaryIO, file: DataFile) -> None:
        super().__init__(stream, "utf-8-sig" if file.encoding == "utf-8" else file.encoding, "strict", newline="")
        self._file = file

    def read(self, size: int | None = -1, /) -> str:
        """Read some characters.

        :raises DataError: when the bytes are no text in the file's encoding.
        """
        try:
            return super().read(size)
        except UnicodeError:
            self._file._first_bad = self._file.head
            raise DataError(
                f"the file is not valid {self._file.encoding}.", where=self._file.name, do=self._file.remedy
            ) from None


def _not_in(file: DataFile, line: int) -> DataError:
    """Return the error of a file that is not in the encoding it seemed to be."""
    marked = next((name for mark, name in MARKS if file.head.startswith(mark)), "")
    do = "the file is damaged or cut off: fetch it again." if marked else "name its encoding: --encoding NAME."
    return DataError(f"the file is not valid {file.encoding}.", where=file.place(line), do=do)


def _near(path: Path) -> str:
    """Suggest files of a similar name beside the missing one."""
    beside: list[str] = []
    with suppress(OSError):  # not there, or not ours to look into
        beside = [other.name for other in path.parent.iterdir()]
    near = get_close_matches(path.name, beside, n=2, cutoff=0.6)
    if near:
        return "did you mean " + " or ".join(str(path.parent / name) for name in near) + "?"
    return "give the path of a file, or samples:NAME (`functory list --kind samples`)."
