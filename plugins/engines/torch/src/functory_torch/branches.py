"""Reads texts that begin alike as rows that branch, after what is known of their beginning: for scores, and to write on.

Apart from what says how they are laid (`sharing`) and what keeps beginnings (`beginnings`): here is the network's pass.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import pad as pad_before

from functory_sdk import Array, pad
from functory_sdk.torch import Kept, Network, Unread, Writing, read
from functory_torch.beginnings import Beginnings, States
from functory_torch.placing import tensors
from functory_torch.sharing import Shared, branch_ports, laid

PASS, NEAR = 2048, 16
"""Tokens of prompts that are read at once; rests that differ by so many are read together though some are padded."""
SHARED = 64
"""So many tokens that texts begin with in common are looked at once for all of them: fewer are looked at faster by each."""


@dataclass(frozen=True)
class Pass:
    """Rows that branch, as read: last hidden states, (rows, beginning + tokens, width), and keys and values."""

    hidden: Tensor
    kept: Kept

    def of(self, numbers: Tensor) -> tuple[Tensor, list[tuple[Tensor, Tensor]]]:
        """Return the states of texts that lie in the rows: (texts, tokens, width), and keys and values of each layer.

        :param numbers: (texts, tokens) of the rows' places, one row after the other.
        """
        return self.hidden.flatten(0, 1)[numbers], self.layers(numbers)

    def layers(self, numbers: Tensor) -> list[tuple[Tensor, Tensor]]:
        """Return the keys and values of each layer alone."""
        return [(_gathered(keys, numbers), _gathered(values, numbers)) for keys, values in self.kept.pairs()]


@dataclass(frozen=True)
class Prompts:
    """Prompts before they are read.

    :param unread: what a pass reads.
    :param begun: given its last hidden states, (rows, new, width), the number of the text that each row is, and the rows.
    """

    unread: Unread
    begun: Callable[[Tensor], tuple[list[int], Writing]]

    @property
    def tokens(self) -> int:
        """What a pass reads of them, padding counted."""
        return self.unread.hidden.shape[0] * self.unread.hidden.shape[1]


class Branches:
    """Reads with one network of a decoder, and knows what it read.

    :param beginnings: what the session keeps.
    :param reach: attention to so many tokens costs what all maps do.
    """

    def __init__(self, network: Network, device: torch.device, beginnings: Beginnings, reach: int) -> None:
        self.network, self.device = network, device
        self._beginnings, self._reach = beginnings, reach

    def begun(self, ids: Array) -> States | None:
        """Return what all rows begin with, read where it is not known; None where they begin with nothing."""
        if not len(ids):
            return None
        known = self._beginnings.take(ids)
        first = 0 if known is None else len(known)
        if known is not None and first == len(ids):
            return known
        batch = {"input_ids": ids[None, first:], "attention_mask": np.ones_like(ids)[None]}
        kept = Kept(has_source=False) if known is None else _kept(known, 1)
        context = self.network.resume(tensors(batch, self.device), kept.layers)
        hidden = self.network.run(0, self.network.points, {}, context)["hidden"]
        new = States(hidden[0], tuple((keys[0, :, first:], values[0, :, first:]) for keys, values in kept.pairs()))
        self._beginnings.keep(ids, new)
        return new if known is None else States.joined([known, new])

    def read(self, chosen: Sequence[Shared], begun: States | None) -> Pass:
        """Read rows that branch, after what all of them begin with."""
        unread, kept = self._unread(chosen, begun)
        return _pass(read([unread])[0], kept, begun)

    def _unread(self, chosen: Sequence[Shared], begun: States | None) -> tuple[Unread, Kept]:
        """Return rows that branch before they are read, and what their keys and values are kept in."""
        batch = tensors(pad([one.row for one in chosen], branch_ports(self.network.spec)), self.device)
        kept = Kept(has_source=False) if begun is None else _kept(begun, len(chosen))
        if begun is not None:
            before = batch["attention_mask"].new_ones(len(chosen), len(begun))
            batch["attention_mask"] = torch.cat([before, batch["attention_mask"]], 1)
        return Unread.of(self.network, batch, kept), kept

    def prompts(self, texts: Sequence[Array], common: int = 0) -> Iterator[Prompts]:
        """Give texts to go on with, those that are alike once, part by part: each is read before the next is asked for, or all
        of them together with what is written.

        :param texts: (tokens,) each, one at least.
        :param common: of how many tokens that all of them begin with keys and values are kept once; each has one more at least.
        """
        whose: dict[bytes, list[int]] = {}
        for number, text in enumerate(texts):
            whose.setdefault(text.tobytes(), []).append(number)
        first = {numbers[0]: numbers for numbers in whose.values()}
        groups: dict[tuple[int, ...], list[int]] = {}
        for number in first:
            size = self._beginnings.known(texts[number][:-1])
            groups.setdefault(tuple(texts[number][:size].tolist()), []).append(number)
        alone = {members[0]: len(known) for known, members in groups.items() if known and len(members) == 1}
        for part in _alike([(number, len(texts[number]) - known) for number, known in alone.items()]):
            rows = [number for one in part for number in first[one]]
            places = [place for place, one in enumerate(part) for _ in first[one]]
            yield self._resumed([texts[number] for number in part], places, rows, common)
        for known, members in groups.items():
            if members[0] not in alone:
                yield from self._trees(texts, members, first, len(known), common)

    def _trees(
        self, texts: Sequence[Array], members: Sequence[int], first: Mapping[int, Sequence[int]], known: int, common: int
    ) -> Iterator[Prompts]:
        """Give texts that have a beginning in common, of which so many tokens are known."""
        sharing = laid([texts[number] for number in members], known)
        begun = self.begun(sharing.beginning)
        for chosen in sharing.batches(PASS, self._reach):
            asked = [members[member] for one in chosen for member in one.members]
            rows = [(one, number) for one in asked for number in first[one]]
            unread, kept = self._unread(chosen, begun)

            def read_on(hidden: Tensor, chosen: Sequence[Shared] = chosen, kept: Kept = kept, rows: Any = rows) -> Any:
                found = _pass(hidden, kept, begun)
                own = self._gone_on(texts, chosen, members, [one for one, _ in rows], found, common)
                return [number for _, number in rows], own

            yield Prompts(unread, read_on)

    def _resumed(self, texts: Sequence[Array], rows: Sequence[int], numbers: list[int], common: int) -> Prompts:
        """Return the rests of texts of which each has a beginning of its own that is known.

        :param rows: which text each row is.
        :param numbers: what that text's number is elsewhere.
        """
        known = [self._beginnings.take(text[:-1]) or self._none(text) for text in texts]
        common = common if all(len(one) >= common for one in known) else 0
        shared, known = known[0].part(0, common), [one.part(common, len(one)) for one in known]
        texts, whole = [text[common:] for text in texts], texts
        sizes, rests = [len(one) for one in known], [len(text) - len(one) for text, one in zip(texts, known, strict=True)]
        before, new = max(sizes), max(rests)
        ids, mask = np.zeros((len(texts), new), dtype=np.int64), np.zeros((len(texts), before + new), dtype=np.int64)
        for row, text in enumerate(texts):
            ids[row, new - rests[row] :] = text[sizes[row] :]
            mask[row, before - sizes[row] : before] = 1
            mask[row, before + new - rests[row] :] = 1
        kept = Kept.of([_padded([one.layers[place] for one in known], before) for place in range(len(known[0].layers))])
        if common:
            kept.share([(keys[None], values[None]) for keys, values in shared.layers])
        batch = tensors({"input_ids": ids, "attention_mask": mask}, self.device)

        def read_on(hidden: Tensor) -> tuple[list[int], Writing]:
            for row, (text, rest) in enumerate(zip(whole, rests, strict=True)):
                layers = tuple((keys[row, :, -rest:], values[row, :, -rest:]) for keys, values in kept.pairs())
                self._beginnings.keep(text, States(hidden[row, -rest:], layers))
            writing = Writing.after(self.network, kept, batch["attention_mask"], hidden[:, -1], whole[0][:common].tolist())
            if list(rows) != list(range(len(texts))):
                writing.choose(rows)
            return numbers, writing

        return Prompts(Unread.of(self.network, batch, kept), read_on)

    def _none(self, text: Array) -> States:
        """Return the states of a text's first token: of one whose beginning another thread's made room for."""
        found = self.begun(text[:1])
        return found if found is not None else States(torch.empty(0), ())

    def _gone_on(
        self, texts: Sequence[Array], chosen: Sequence[Shared], members: Sequence[int], rows: Sequence[int], found: Pass,
        common: int,
    ) -> Writing:  # fmt: skip
        """Return a row for each text that is asked for, of which one may come several times, after rows that branch were read.

        :param common: how many tokens that all texts begin with are kept once for all rows.
        """
        lying = {
            members[member]: place + row * found.hidden.shape[1]
            for row, one in enumerate(chosen) for member, place in zip(one.members, one.places, strict=True)
        }  # fmt: skip
        for row, places in lying.items():
            self.remember(texts[row], found, places)
        own = {row: places[common:] for row, places in lying.items()}
        size = max(len(own[row]) for row in rows)
        numbers = np.zeros((len(rows), size), dtype=np.int64)
        mask = np.zeros_like(numbers)
        for place, row in enumerate(rows):
            numbers[place, size - len(own[row]) :] = own[row]
            mask[place, size - len(own[row]) :] = 1
        where = tensors({"numbers": numbers, "mask": mask}, self.device)
        hidden = found.hidden.flatten(0, 1)[where["numbers"][:, -1]]
        kept = Kept.of(found.layers(where["numbers"]))
        if common:
            kept.share(found.layers(tensors({"places": lying[rows[0]][None, :common]}, self.device)["places"]))
        return Writing.after(self.network, kept, where["mask"], hidden, texts[rows[0]][:common].tolist())

    @property
    def is_remembering(self) -> bool:
        """Whether what is written is kept."""
        return self._beginnings.most > 0 and self.network.has_branches and self.network.spec.architecture == "decoder"

    def keep(self, ids: Sequence[int], hidden: Tensor, layers: Sequence[tuple[Tensor, Tensor]]) -> None:
        """Keep what was read of a text's last tokens, one by one as it wrote them.

        :param ids: all of its tokens.
        :param hidden: the last states of the last ones, (tokens, width).
        :param layers: of each layer keys and values, (heads, tokens, width of a head) both.
        """
        self._beginnings.keep(np.asarray(ids, dtype=np.int64), States(hidden, tuple(layers)))

    def remember(self, ids: Array, found: Pass, places: Array) -> None:
        """Keep what was read of a text.

        :param places: where its tokens lie in the rows of the pass, one row after the other, (tokens,).
        """
        known = self._beginnings.known(ids) if self._beginnings.most else len(ids)
        if known == len(ids):
            return
        hidden, layers = found.of(torch.from_numpy(places[known:])[None].to(self.device))
        self._beginnings.keep(ids, States(hidden[0], tuple((keys[0], values[0]) for keys, values in layers)))


def _pass(hidden: Tensor, kept: Kept, begun: States | None) -> Pass:
    """Return rows that branch as they were read, with the states of what they begin with before their own."""
    if begun is not None:
        hidden = torch.cat([begun.hidden.expand(len(hidden), -1, -1), hidden], 1)
    return Pass(hidden, kept)


def _alike(rests: Sequence[tuple[int, int]]) -> Iterator[list[int]]:
    """Give which texts are read in one pass: those whose rests have nearly as many tokens.

    :param rests: each text's number, and the tokens that are not known.
    """
    part, longest = list[int](), 0
    for number, rest in sorted(rests, key=lambda one: -one[1]):
        if part and ((len(part) + 1) * longest > PASS or longest - rest > max(NEAR, longest // 2)):
            yield part
            part = []
        longest = longest if part else rest
        part.append(number)
    if part:
        yield part


def _padded(states: Sequence[tuple[Tensor, Tensor]], size: int) -> tuple[Tensor, Tensor]:
    """Return the keys and the values of texts, (heads, tokens, width) each, as rows that end together."""
    keys, values = (
        torch.stack([pad_before(one[which], (0, 0, size - one[which].shape[1], 0)) for one in states]) for which in (0, 1)
    )
    return keys, values


def _kept(states: States, rows: int) -> Kept:
    """Return what is known as so many rows, each to go on its own way."""
    return Kept.of([(keys.expand(rows, -1, -1, -1), values.expand(rows, -1, -1, -1)) for keys, values in states.layers])


def _gathered(array: Tensor, numbers: Tensor) -> Tensor:
    """Return keys or values of places, (texts, heads, tokens, width), of those of rows, (rows, heads, places, width)."""
    rows, places = numbers // array.shape[2], numbers % array.shape[2]
    return array[rows[:, None], torch.arange(array.shape[1], device=array.device)[None, :, None], places[:, None]]
