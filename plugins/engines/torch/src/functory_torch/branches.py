"""Reads texts that begin alike as rows that branch, after what is known of their beginning: for scores, and to write on.

Apart from what says how they are laid (`sharing`) and what keeps beginnings (`beginnings`): here is the network's pass.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import pad as pad_before

from functory_sdk import Array, pad
from functory_sdk.torch import Kept, Network, Writing
from functory_torch.beginnings import Beginnings, States
from functory_torch.placing import tensors
from functory_torch.sharing import Shared, branch_ports, laid

PASS, NEAR = 2048, 16
"""Tokens of prompts that are read at once; rests that differ by so many are read together though some are padded."""


@dataclass(frozen=True)
class Pass:
    """Rows that branch, as read: last hidden states, (rows, beginning + tokens, width), and keys and values."""

    hidden: Tensor
    kept: Kept

    def of(self, numbers: Tensor) -> tuple[Tensor, list[tuple[Tensor, Tensor]]]:
        """Return the states of texts that lie in the rows: (texts, tokens, width), and keys and values of each layer.

        :param numbers: (texts, tokens) of the rows' places, one row after the other.
        """
        layers = [(_gathered(keys, numbers), _gathered(values, numbers)) for keys, values in self.kept.pairs()]
        return self.hidden.flatten(0, 1)[numbers], layers


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
        network = self.network
        batch = tensors(pad([one.row for one in chosen], branch_ports(network.spec)), self.device)
        kept = Kept(has_source=False) if begun is None else _kept(begun, len(chosen))
        if begun is not None:
            before = batch["attention_mask"].new_ones(len(chosen), len(begun))
            batch["attention_mask"] = torch.cat([before, batch["attention_mask"]], 1)
        hidden = network.run(0, network.points, {}, network.resume(batch, kept.layers))["hidden"]
        if begun is not None:
            hidden = torch.cat([begun.hidden.expand(len(chosen), -1, -1), hidden], 1)
        return Pass(hidden, kept)

    def prompts(self, texts: Sequence[Array]) -> tuple[list[int], Writing]:
        """Read texts to go on with, those that are alike once.

        :param texts: (tokens,) each, one at least.
        :return: the number of the text that each row is, and the rows.
        """
        parts = self._parts(texts)
        order, writing = next(parts)
        for members, own in parts:
            order = order + members
            writing.join(own)
        return order, writing

    def _parts(self, texts: Sequence[Array]) -> Iterator[tuple[list[int], Writing]]:
        """Give the rows of texts part by part, with the number of each."""
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
            yield rows, self._resumed([texts[number] for number in part], [part.index(one) for one in part for _ in first[one]])
        for known, members in groups.items():
            if members[0] not in alone:
                yield from self._trees(texts, members, first, len(known))

    def _trees(
        self, texts: Sequence[Array], members: Sequence[int], first: Mapping[int, Sequence[int]], known: int
    ) -> Iterator[tuple[list[int], Writing]]:
        """Give the rows of texts that have a beginning in common, of which so many tokens are known."""
        sharing = laid([texts[number] for number in members], known)
        begun = self.begun(sharing.beginning)
        for chosen in sharing.batches(PASS, self._reach):
            asked = [members[member] for one in chosen for member in one.members]
            rows = [(one, number) for one in asked for number in first[one]]
            yield [number for _, number in rows], self._gone_on(texts, chosen, members, [one for one, _ in rows], begun)

    def _resumed(self, texts: Sequence[Array], rows: Sequence[int]) -> Writing:
        """Read the rests of texts of which each has a beginning of its own that is known.

        :param rows: which text each row is.
        """
        known = [self._beginnings.take(text[:-1]) or self._none(text) for text in texts]
        sizes, rests = [len(one) for one in known], [len(text) - len(one) for text, one in zip(texts, known, strict=True)]
        before, new = max(sizes), max(rests)
        ids, mask = np.zeros((len(texts), new), dtype=np.int64), np.zeros((len(texts), before + new), dtype=np.int64)
        for row, text in enumerate(texts):
            ids[row, new - rests[row] :] = text[sizes[row] :]
            mask[row, before - sizes[row] : before] = 1
            mask[row, before + new - rests[row] :] = 1
        kept = Kept.of([_padded([one.layers[place] for one in known], before) for place in range(len(known[0].layers))])
        batch = tensors({"input_ids": ids, "attention_mask": mask}, self.device)
        hidden = self.network.run(0, self.network.points, {}, self.network.resume(batch, kept.layers))["hidden"]
        for row, (text, rest) in enumerate(zip(texts, rests, strict=True)):
            layers = tuple((keys[row, :, -rest:], values[row, :, -rest:]) for keys, values in kept.pairs())
            self._beginnings.keep(text, States(hidden[row, -rest:], layers))
        writing = Writing.after(self.network, kept, batch["attention_mask"], hidden[:, -1])
        if list(rows) != list(range(len(texts))):
            writing.choose(rows)
        return writing

    def _none(self, text: Array) -> States:
        """Return the states of a text's first token: of one whose beginning another thread's made room for."""
        found = self.begun(text[:1])
        return found if found is not None else States(torch.empty(0), ())

    def _gone_on(
        self, texts: Sequence[Array], chosen: Sequence[Shared], members: Sequence[int], rows: Sequence[int], begun: States | None
    ) -> Writing:
        """Read rows that branch, and return a row for each text that is asked for, of which one may come several times."""
        found = self.read(chosen, begun)
        lying = {
            members[member]: place + row * found.hidden.shape[1]
            for row, one in enumerate(chosen) for member, place in zip(one.members, one.places, strict=True)
        }  # fmt: skip
        for row, places in lying.items():
            self.remember(texts[row], found, places)
        size = max(len(lying[row]) for row in rows)
        numbers = np.zeros((len(rows), size), dtype=np.int64)
        mask = np.zeros_like(numbers)
        for place, row in enumerate(rows):
            numbers[place, size - len(lying[row]) :] = lying[row]
            mask[place, size - len(lying[row]) :] = 1
        where = tensors({"numbers": numbers, "mask": mask}, self.device)
        hidden = found.hidden.flatten(0, 1)[where["numbers"][:, -1]]
        _, layers = found.of(where["numbers"])
        return Writing.after(self.network, Kept.of(layers), where["mask"], hidden)

    def remember(self, ids: Array, found: Pass, places: Array) -> None:
        """Keep what was read of a text.

        :param places: where its tokens lie in the rows of the pass, one row after the other, (tokens,).
        """
        known = self._beginnings.known(ids) if self._beginnings.most else len(ids)
        if known == len(ids):
            return
        hidden, layers = found.of(torch.from_numpy(places[known:])[None].to(self.device))
        self._beginnings.keep(ids, States(hidden[0], tuple((keys[0], values[0]) for keys, values in layers)))


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
