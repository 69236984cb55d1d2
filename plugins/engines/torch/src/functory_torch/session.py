"""Runs a model in memory: forward passes and generation, on one device."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch

from functory_sdk import Array, NotSupported, Program, Request, Row, Session, SessionOptions, Token, pad, plan, unpad
from functory_sdk.lines import Text, begun
from functory_sdk.torch import Network
from functory_torch.batch import Batch, written
from functory_torch.beginnings import Beginnings, States
from functory_torch.branches import Branches
from functory_torch.few import for_few
from functory_torch.joining import Joining
from functory_torch.likelihood import likelihood
from functory_torch.narrow import narrowed
from functory_torch.placing import device, on, tensors
from functory_torch.sharing import ATTENTION, NARROW_ATTENTION, Shared, Sharing, branch_ports, shared
from functory_torch.threads import threaded, threads

Told = Callable[[float], None]
STATES = 16384
"""Hidden states that are gathered at a time for the rows that stand in rows that branch."""
BUDGET, WRITTEN = 1024, 8
"""Tokens of a batch where nothing is said; so many times as many are held of texts that are written together."""


class TorchSession(Session):
    """One model on one device. Forward passes share nothing that changes, so threads need no lock."""

    def __init__(self, program: Program, options: SessionOptions) -> None:
        super().__init__(program, options)
        self.device = device(options.device)
        model = program.model.merged() if options.merged else program.model
        if options.precision == "bf16":
            model = narrowed(model)
        elif program.kind == "generate" and self.device.type == "cpu" and torch.backends.mkl.is_available():
            model = for_few(model)
        self.model: Any = on(model, self.device).eval()  # None once it is closed
        self.planner.pads = not model.network.unpads
        self._beginnings = Beginnings(options.remembered * 2**20)
        self._joining = Joining(options.threads)

    def run(self, rows: Sequence[Row], told: Told | None = None) -> list[Row]:
        """Run rows; what those of a network that reads forwards alone share at their beginnings is computed once."""
        found = None
        if self._is_sharing():
            reads_last, spec = self.model.head.reading.reads_last, self.model.network.spec
            found = shared(rows, spec, reads_last=reads_last, known=self._beginnings.known)
        return super().run(rows, told) if found is None else self._run_shared(rows, found, told)

    def _is_sharing(self) -> bool:
        model = self.model
        return model is not None and model.head is not None and model.texts == 1 and model.network.has_branches

    def _run_shared(self, rows: Sequence[Row], found: Sharing, told: Told | None) -> list[Row]:
        """Run rows that branch, and give each of those that stand in them what its head makes of its own states."""
        results, cost = list(rows), sum(one.tokens for one in found.rows)
        with threads(self.options.threads), torch.inference_mode():
            begun = self._branches().begun(found.beginning)
        for chosen in found.batches(self._budget, self._reach):
            for index, output in self._of_branches(rows, chosen, begun, found.common):
                results[index] = output
            if told is not None:
                told(sum(one.tokens for one in chosen) / cost)
        return results

    def _branches(self) -> Branches:
        return Branches(self._network, self.device, self._beginnings, self._reach)

    def _states(self, chosen: Sequence[Shared], begun: States | None, common: Array) -> torch.Tensor:
        """Return the last hidden states of rows that branch, (shared, tokens, width), after those of what they begin with.

        :param common: what all rows begin with, which is kept where it was read with them.
        """
        network, branches = self.model.network, self._branches()
        if network.written == "input_ids":
            read = branches.read(chosen, begun)
            branches.remember(common, read, chosen[0].places[0][: len(common)])
            return read.hidden
        hidden: torch.Tensor = network.hidden(tensors(pad([one.row for one in chosen], branch_ports(network.spec)), self.device))
        return hidden

    def _of_branches(
        self, rows: Sequence[Row], chosen: Sequence[Shared], begun: States | None, common: Array
    ) -> list[tuple[int, Row]]:
        """Return the outputs of the rows in some that branch, each with the row's number."""
        found = list[tuple[int, Row]]()
        with threads(self.options.threads), torch.inference_mode():
            hidden = self._states(chosen, begun, common)
            members = [(row, *one) for row, each in enumerate(chosen) for one in zip(each.members, each.places, strict=True)]
            for part in plan([len(places) for _, _, places in members], STATES):
                own = [rows[members[place][1]] for place in part]
                numbers = _numbers([members[place][0] for place in part], [members[place][2] for place in part], hidden)
                batch = tensors(pad(own, self.program.inputs), self.device) | {"states": numbers}
                states = hidden.flatten(0, 1)[numbers]  # (rows, tokens, width)
                outputs = self.model.apply_head(self.model.read(states, batch), batch)
                arrays = {name: value.float().cpu().numpy() for name, value in outputs.items()}
                found += zip([members[place][1] for place in part], unpad(arrays, own, self.program), strict=True)
        return found

    @property
    def _budget(self) -> int:
        """The tokens of a batch of rows that branch: they are long, and few."""
        return self.options.budget or max(1024, self.planner.budget)

    @property
    def _reach(self) -> int:
        """Attention to so many tokens costs what all maps do: what rows that branch are laid out by."""
        width: int = self.model.network.spec.width
        return width * (ATTENTION if self.options.precision == "auto" else NARROW_ATTENTION)

    def run_batch(self, batch: Mapping[str, Array]) -> Mapping[str, Array]:
        with threads(self.options.threads), torch.inference_mode():
            outputs = self.model(tensors(batch, self.device))
            return {name: value.float().cpu().numpy() for name, value in outputs.items()}

    def generate(self, requests: Sequence[Request]) -> Iterator[Token]:
        texts = [text for place, request in enumerate(requests) for text in self._texts(request, place)]
        yield from threaded(self.options.threads, (token for _, token in written(self._batch(), texts)))

    def submit(self, request: Request) -> Iterator[Token]:
        return self._joining.submit(self._texts(request, 0), self._batch)

    def _texts(self, request: Request, place: int) -> list[Text]:
        """Return what is written of a request; all that is refused is refused here.

        :raises OptionError: for a guide that it cannot be held to.
        """
        spec = self._network.spec
        return begun(request, place, spec.vocabulary, (spec.start_id or 0,) if spec.architecture == "encoder-decoder" else None)

    def _batch(self) -> Batch:
        return Batch(self._branches(), WRITTEN * (self.options.budget or BUDGET))

    @property
    def _network(self) -> Network:
        """The network.

        :raises NotSupported: once it is closed.
        """
        if self.model is None:
            raise NotSupported("the session was closed.", do="open the program again.")
        network: Network = self.model.network
        return network

    def likelihood(self, requests: Sequence[Request], written: Sequence[Sequence[int]]) -> list[Array]:
        found: dict[int, Array] = {}
        for batch in self._planned(requests):
            chosen = [requests[index] for index in batch], [written[index] for index in batch]
            with threads(self.options.threads):
                found |= zip(batch, likelihood(self._network, *chosen, self.device), strict=True)
        return [found[index] for index in range(len(requests))]

    def _planned(self, requests: Sequence[Request]) -> Iterator[list[int]]:
        """Give which requests run together: such as have as many tokens to start with."""
        for size in sorted({len(request.start) for request in requests}):
            chosen = [index for index, request in enumerate(requests) if len(request.start) == size]
            lengths = [len(requests[index].ids) + size + requests[index].decoding.max_new_tokens for index in chosen]
            for batch in plan(lengths, 4 * (self.options.budget or BUDGET)):
                yield [chosen[place] for place in batch]

    def close(self) -> None:
        self._joining.close()
        self.model = None
        self._beginnings.clear()


def _numbers(shared: Sequence[int], places: Sequence[Array], hidden: torch.Tensor) -> torch.Tensor:
    """Return which states of rows that branch are those of rows, (rows, tokens): their numbers, one row after the other.

    :param shared: in which of the rows that branch each row stands.
    :param places: where its tokens lie there, (tokens,).
    :param hidden: (shared, tokens, width).
    """
    found = np.zeros((len(places), max(map(len, places))), dtype=np.int64)
    for row, (one, own) in enumerate(zip(shared, places, strict=True)):
        found[row, : len(own)] = one * hidden.shape[1] + own
    return torch.from_numpy(found).to(hidden.device)
