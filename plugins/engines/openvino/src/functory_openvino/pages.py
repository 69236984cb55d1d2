"""The stored keys and values of all texts, in pages of some tokens; texts that begin alike share pages.

A full page is kept after its text has ended, until the room is needed: it is found again by all tokens up to its end, whoever
asks, so that what prompts have in common (a system text, a template, demonstrations, the turns before) is read once.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

import numpy as np
import openvino as ov

FIRST = 16
"""Pages that there is room for in the beginning; twice as many each time they are all in use."""
ROOM = 2**30
"""Bytes that pages take before texts wait for others to end, and pages that nobody uses are given away; a text that needs more by
itself gets it."""


class Pages:
    """Pages by their numbers: which are free, who uses which, and which hold the beginning of a prompt.

    :param compiled: the graph, which says how large a page is.
    :param remembered: bytes of pages that are kept for prompts to come.
    """

    def __init__(self, compiled: Any, remembered: int) -> None:  # Any: an openvino CompiledModel
        caches = [port for port in compiled.inputs if "_cache." in port.get_any_name()]
        self._shapes = {port.get_any_name(): [axis.get_length() for axis in list(port.partial_shape)[1:]] for port in caches}
        self._kinds = {port.get_any_name(): port.element_type for port in caches}
        self._stored: dict[str, Any] = {}  # Any: openvino's tensors
        self.size = next(iter(self._shapes.values()))[1]  # (groups, tokens, width)
        bytes_of = sum(int(np.prod(shape)) * self._kinds[name].size for name, shape in self._shapes.items())
        self.most, self._kept = max(1, ROOM // bytes_of), remembered // bytes_of
        self._count = 0
        self._free: list[int] = []
        self._users: dict[int, int] = {}
        self._keys: dict[int, bytes] = {}
        self._known: dict[bytes, int] = {}
        self._written = set[int]()  # of the known ones
        self._resting: OrderedDict[int, None] = OrderedDict()  # known and unused, those of longest ago first

    def count(self, tokens: int) -> int:
        """Return how many pages so many tokens take."""
        return -(-tokens // self.size)

    def keys(self, ids: Sequence[int]) -> list[bytes]:
        """Return what tells each full page of a prompt from all others: its tokens, and all before it."""
        found = list[bytes]()
        for begin in range(0, len(ids) - self.size + 1, self.size):
            found.append(self.key(found[-1] if found else b"", ids[begin : begin + self.size]))
        return found

    def key(self, before: bytes, ids: Sequence[int]) -> bytes:
        """Return what tells a full page from all others.

        :param before: of the page before it; nothing where it is the first.
        :param ids: its tokens.
        """
        return blake2b(before + np.asarray(ids, "<i8").tobytes(), digest_size=16).digest()

    def shared(self, keys: Sequence[bytes], *, written: bool = True) -> list[int]:
        """Return the pages that hold the beginning of a prompt already, and use them.

        :param written: whether those may be among them that hold what was written token by token.
        """
        found = list[int]()
        for key in keys:
            page = self._known.get(key)
            if page is None or (page in self._written and not written):
                break
            self._users[page] = self._users.get(page, 0) + 1
            self._resting.pop(page, None)
            found.append(page)
        return found

    def take(self, request: Any) -> int:  # Any: an openvino InferRequest
        """Return a page that nobody uses, making room for more where there is none.

        :param request: which reads the pages.
        """
        if not self._free and self._count >= self.most and self._resting:
            self._forget()
        if not self._free:
            self._grow(request)
        page = self._free.pop()
        self._users[page] = 1
        return page

    def know(self, page: int, key: bytes, *, is_written: bool = False) -> None:
        """Remember what a page holds, unless another holds it already; one that was read as a prompt takes the place of one that
        was written token by token.
        """
        other = self._known.get(key)
        if other is not None and (is_written or other not in self._written):
            return
        if other is not None:
            del self._keys[other]
            self._written.discard(other)
            if self._resting.pop(other, 0) is None:
                self._free.append(other)
        self._known[key], self._keys[page] = page, key
        if is_written:
            self._written.add(page)

    def holds_written(self, pages: Sequence[int]) -> bool:
        """Whether some of the pages hold what was written token by token, or read after such."""
        return any(page in self._written for page in pages)

    def forked(
        self, pages: Sequence[Sequence[int]], rows: Sequence[int], read: int, request: Any
    ) -> list[list[int]]:  # fmt: skip  # Any: as below
        """Return the pages of texts that go on from some, of which one may come several times. Full ones are shared, the one that
        is being written in is copied, and what nobody goes on from is left.

        :param read: the tokens of each.
        """
        full, found, taken = read // self.size, list[list[int]](), set[int]()
        for row in rows:
            own = list(pages[row])
            if row in taken:
                for page in own[:full]:
                    self._users[page] += 1
                own[full:] = [self._copied(page, request) for page in own[full:]]
            taken.add(row)
            found.append(own)
        for row, left in enumerate(pages):
            if row not in taken:
                self.leave(left)
        return found

    def _copied(self, page: int, request: Any) -> int:  # Any: as below
        made = self.take(request)
        for tensor in self._stored.values():
            tensor.data[made] = tensor.data[page]
        return made

    def leave(self, pages: Sequence[int]) -> None:
        """Stop using pages. Those that are known stay; the last of a prompt is the first that goes."""
        for page in reversed(pages):
            self._users[page] -= 1
            if self._users[page]:
                continue
            del self._users[page]
            if page in self._keys:
                self._resting[page] = None
            else:
                self._free.append(page)

    def trim(self) -> None:
        """Forget what is more than is kept for prompts to come."""
        while len(self._resting) > self._kept:
            self._forget()

    def _forget(self) -> None:
        """Free the known page that nobody has used for the longest time."""
        page, _ = self._resting.popitem(last=False)
        del self._known[self._keys.pop(page)]
        self._written.discard(page)
        self._free.append(page)

    def _grow(self, request: Any) -> None:  # Any: as above
        """Make room for twice as many pages; what is stored moves along."""
        count = 2 * self._count or FIRST
        for name, shape in self._shapes.items():
            made = ov.Tensor(self._kinds[name], [count, *shape])
            if name in self._stored:
                made.data[: self._count] = self._stored[name].data
            request.set_tensor(name, made)
            self._stored[name] = made
        self._free += range(count - 1, self._count - 1, -1)
        self._count = count
