"""A sentence as its tokens come, one line or row at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from functory_sdk import DataFile, Fault, Record


@dataclass
class Sentence:
    """Tokens and tags, and what is wrong with the first line that is faulty."""

    tokens: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    line: int = 0
    fault: tuple[int, str, str] | None = None

    def __bool__(self) -> bool:
        return bool(self.line)

    def add(self, token: str, tag: str, line: int) -> None:
        """Add a token; white space without a name is left out, as it is between words."""
        self.line = self.line or line
        if not tag.strip():
            self.spoil(line, f"token {token!r} has no tag", "give each token its tag, O outside of names.")
        elif token.strip() or tag.strip() != "O":
            self.tokens.append(token)
            self.tags.append(tag.strip())

    def spoil(self, line: int, what: str, do: str) -> None:
        """Say what is wrong with a line: the sentence is none."""
        self.line = self.line or line
        self.fault = self.fault or (line, what, do)

    def rows(self, file: DataFile) -> Iterator[Record | Fault]:
        """Yield the sentence as a row, or what is wrong with it; nothing where it is empty."""
        if self.fault is not None:
            line, what, do = self.fault
            yield Fault(what, 0, file.place(line), do=do)
        elif self.tokens:
            yield Record({"tokens": self.tokens, "tags": self.tags}, file.place(self.line))
