"""Turns a torch encoder-decoder into two graphs of OpenVINO's: one reads sources, one the next token of what is written.

A network is traced as it is; what its layers keep is handed to them, and what they add is taken from them, where transformers
asks a cache. So every encoder-decoder whose layers ask one is converted by the same lines.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov
import torch
from torch import Tensor, nn
from transformers import Cache, EncoderDecoderCache
from transformers.cache_utils import DynamicLayer

from functory_openvino.convert import OFF, compressed
from functory_openvino.pairs import FACTS, GIVEN, NEW, SOURCES, STEP, PairFacts, Sizes
from functory_openvino.translating import TranslatingSession
from functory_sdk import Array, Decoding, NotSupported, Program, Request, SessionOptions
from functory_sdk.choosing import log_probability
from functory_sdk.torch import Network, structural_copy

ROWS, READ, STORED = 2, 5, 7
"""Rows, tokens of a source, and places that are stored, with which a network is traced: any number is read later."""
PROBED = 8
"""Tokens that a new pair of graphs is tried with."""


def convert(program: Program, folder: Path, precision: str) -> Program:
    """Write the graphs of a program that writes after sources.

    :param program: with its torch model.
    :param folder: where the files go.
    :param precision: ``fp32`` or ``int8``: the weights', a scale for each row of them.
    :raises NotSupported: for a network whose layers ask no cache, and where the graphs give other scores than the network.
    """
    network = structural_copy(program.model.merged().network).eval()
    with warnings.catch_warnings(), torch.inference_mode():
        warnings.simplefilter("ignore")  # the tracer's remarks on sizes that stay as they are
        graphs, facts = _traced(network)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FACTS).write_text(json.dumps(asdict(facts), indent=1), "utf-8")
    made = replace(program, model=None, folder=folder, precision="fp32")
    _write(graphs, folder)
    _check(made, network)
    if precision == "int8":  # of the graphs that were tried, since rounding would hide much
        made = replace(made, precision=precision)
        _write({file: compressed(graph) for file, graph in graphs.items()}, folder)
        _check(made, network)
    return made


def _write(graphs: Mapping[str, Any], folder: Path) -> None:  # Any: openvino Models
    for file, graph in graphs.items():
        ov.save_model(graph, folder / file, compress_to_fp16=False)


def _traced(network: Network) -> tuple[dict[str, Any], PairFacts]:  # Any: openvino Models
    """Return the graphs of a network by their files, and what is known of them."""
    spec = network.spec
    ids, mask = torch.arange(READ).repeat(ROWS, 1) % spec.vocabulary, torch.ones(ROWS, READ, dtype=torch.long)
    own, kept = read_sources(network, ids, mask)
    texts, sources = _sizes("text", own), _sizes("source", kept)
    reading = ov.convert_model(Reading(network), example_input=(ids, mask))
    _named(reading, ("ids", "mask"), list(sources), {})
    stored = [torch.zeros(ROWS, heads, STORED, width) for heads, width in texts.values()]
    given = torch.ones(ROWS, 1, dtype=torch.long), torch.ones(ROWS, STORED + 1, dtype=torch.long), mask
    looked = [one for pair in kept for one in pair if one.shape[3]]
    step = ov.convert_model(Step(network, own, kept), example_input=(*given, *stored, *looked))
    _named(step, (*GIVEN, *texts, *sources), ["scores", *(NEW + name for name in texts)], {**texts, **sources})
    vocabulary = int(step.output("scores").partial_shape[1].get_length())
    return {SOURCES: reading, STEP: step}, PairFacts(vocabulary, spec.start_id or 0, texts, sources)


def _sizes(kind: str, layers: Sequence[tuple[Tensor, Tensor]]) -> Sizes:
    """Return the arrays of keys and values of layers, but for those that hold nothing."""
    arrays = {f"{kind}.{number}.{name}": one for number, pair in enumerate(layers) for name, one in zip("kv", pair, strict=True)}
    return {name: (int(one.shape[1]), int(one.shape[3])) for name, one in arrays.items() if one.shape[3]}


def _named(graph: Any, inputs: Sequence[str], outputs: Sequence[str], sizes: Sizes) -> None:  # Any: an openvino Model
    """Name what goes into a graph and what comes out, and free the axes that vary.

    :param sizes: of the inputs that are stored.
    """
    for name, entry in zip(inputs, graph.inputs, strict=True):
        entry.get_tensor().set_names({name})
        stored = sizes.get(name)
        entry.get_node().set_partial_shape(ov.PartialShape([-1, stored[0], -1, stored[1]] if stored else [-1, -1]))
    for name, result in zip(outputs, graph.outputs, strict=True):
        result.get_tensor().set_names({name})
    graph.validate_nodes_and_infer_types()


class Begun(DynamicLayer):  # type: ignore[no-untyped-call]
    """What a layer keeps that has kept nothing yet."""

    def update(self, key_states: Tensor, value_states: Tensor, *args: Any, **kwargs: Any) -> tuple[Tensor, Tensor]:
        self.keys, self.values, self.is_initialized = key_states, value_states, True
        return key_states, value_states


class Looked(DynamicLayer):  # type: ignore[no-untyped-call]
    """What a layer looks at of a source: it is there."""

    def __init__(self, keys: Tensor, values: Tensor) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.keys, self.values, self.is_initialized = keys, values, True


class Handed(DynamicLayer):  # type: ignore[no-untyped-call]
    """What a layer has kept of a text, as it is handed to it; what it adds is noted.

    Who asks for its last place, as a running sum goes on from it, gets that of the row's last token; zeros where there is none.

    :param keys: (rows, heads, places, width); likewise the values.
    :param mask: (rows, places + 1) which places are real, the new one among them.
    """

    def __init__(self, keys: Tensor, values: Tensor, mask: Tensor) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._held, self.added = (keys, values), (keys, values)
        read = mask[:, :-1].sum(1)  # (rows,)
        place = (read - 1).clamp(min=0)[:, None, None, None].expand(-1, keys.shape[1], 1, keys.shape[3])
        self.keys, self.values = keys.gather(2, place) * (read > 0)[:, None, None, None], values
        self.is_initialized = True

    def update(self, key_states: Tensor, value_states: Tensor, *args: Any, **kwargs: Any) -> tuple[Tensor, Tensor]:
        self.added = key_states, value_states
        keys, values = self._held
        return torch.cat([keys, key_states], -2), torch.cat([values, value_states], -2)

    def get_seq_length(self, *args: Any, **kwargs: Any) -> int:
        return 1


def _cache(own: Sequence[Any], sources: Sequence[Any], *, is_read: bool) -> Any:  # Any: transformers' own
    """Return what a decoder's layers ask.

    :param is_read: whether the sources are read: their layers read none then.
    """
    cache = EncoderDecoderCache(Cache(layers=list(own)), Cache(layers=list(sources)))
    cache.is_updated = dict.fromkeys(range(len(sources)), is_read)
    return cache


Layers = list[tuple[Tensor, Tensor]]


def read_sources(network: Network, ids: Tensor, mask: Tensor) -> tuple[Layers, Layers]:
    """Return what each of the decoder's layers keeps of a text's first token, and of the sources, keys and values both, (rows,
    heads, tokens, width).

    :raises NotSupported: where its layers ask no cache.
    """
    layers = len(network.blocks)
    own, sources = ([Begun() for _ in range(layers)] for _ in range(2))  # type: ignore[no-untyped-call]
    memory = network.run(0, network.encoder_points, {}, network.prepare({"input_ids": ids, "attention_mask": mask}))
    first = torch.zeros_like(ids[:, :1])
    batch = {"attention_mask": mask, "decoder_input_ids": first, "decoder_attention_mask": torch.ones_like(first)}
    context = network.resume(batch, _cache(own, sources, is_read=False))
    network.run(network.encoder_points, network.points, dict(memory), context)
    found = [
        [(one.keys, one.values) for one in some if one.keys is not None and one.values is not None] for some in (own, sources)
    ]
    if not found[0] or len(found[0]) != len(found[1]):
        raise NotSupported(
            f"the layers of {network.spec.reference!r} ask no cache for what they keep.",
            do="let the torch engine write, which has every architecture.",
        )
    return found[0], found[1]


class Reading(nn.Module):
    """Reads sources.

    :param network: an encoder-decoder.
    """

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, ids: Tensor, mask: Tensor) -> tuple[Tensor, ...]:
        """Return what each of the decoder's layers looks at."""
        return tuple(one for pair in read_sources(self.network, ids, mask)[1] for one in pair if one.shape[3])


class Step(nn.Module):
    """One step of writing: a new token of each text in, the scores of the next one out, and what is to be stored of the new one.

    :param network: an encoder-decoder.
    :param own: what its layers keep of texts, of which nothing but the widths is looked at; likewise the sources'.
    """

    def __init__(self, network: Network, own: Layers, sources: Layers) -> None:
        super().__init__()
        self.network = network
        self._own, self._sources = ([tuple(one.shape[3] for one in pair) for pair in some] for some in (own, sources))

    def forward(self, ids: Tensor, mask: Tensor, source_mask: Tensor, *stored: Tensor) -> tuple[Tensor, ...]:
        """Return scores, (rows, vocabulary), and what each layer adds, (rows, heads, 1, width).

        :param ids: (rows, 1); the others are told in `pairs`.
        :param stored: what is stored of the texts, layer by layer, then of the sources.
        """
        network, given = self.network, iter(stored)
        own = [Handed(*_pair(widths, given), mask) for widths in self._own]
        sources = [Looked(*_pair(widths, given)) for widths in self._sources]
        batch = {"attention_mask": source_mask, "decoder_input_ids": ids, "decoder_attention_mask": mask}
        context = network.resume(batch, _cache(own, sources, is_read=True))
        state = {"memory": stored[-1]}  # that there is one is all that is asked of it
        hidden = network.run(network.encoder_points, network.points, state, context)["hidden"]  # (rows, 1, width)
        return (network.logits(hidden[:, -1]), *(one for layer in own for one in layer.added if one.shape[3]))


def _pair(widths: Sequence[int], given: Any) -> tuple[Tensor, Tensor]:  # Any: an iterator of tensors
    """Return the keys and values of a layer; those that hold nothing are given to nobody."""
    keys = next(given)
    return keys, next(given) if widths[1] else keys[..., :0]


def _check(program: Program, network: Network) -> None:
    """Let the graphs score tokens after a source.

    :raises NotSupported: where they give other scores.
    """
    spec = network.spec
    source = tuple((torch.arange(PROBED) * max(1, spec.vocabulary // PROBED) % spec.vocabulary).tolist())
    written, scores = [(3 * token + 1) % spec.vocabulary for token in source], list[float]()
    session = TranslatingSession(program, SessionOptions(), program.folder or Path())
    apart = session.by_itself(Request(source, Decoding()), ())
    for token in written:
        scores.append(log_probability(apart.scores[0], token))
        apart.go_on([0], [token])
    session.close()
    off, most = float(np.abs(np.asarray(scores) - _scored(network, source, written)).mean()), OFF[program.precision]
    if not off <= most:
        raise NotSupported(
            f"OpenVINO computes something else than {spec.reference!r} does: log-probabilities are off by {off:.2g} in the mean, "
            f"where {most:g} is expected of {program.precision}.", do="let the torch engine write.",
        )  # fmt: skip


def _scored(network: Network, source: Sequence[int], written: Sequence[int]) -> Array:
    """Return the log-probabilities of tokens after a source, as the network has them, (tokens,)."""
    ids, target = torch.tensor([source]), torch.tensor([[network.spec.start_id or 0, *written[:-1]]])
    batch = {"input_ids": ids, "attention_mask": torch.ones_like(ids), "decoder_input_ids": target,
             "decoder_attention_mask": torch.ones_like(target)}  # fmt: skip
    with torch.inference_mode():
        likely = network.logits(network.hidden(batch))[0].log_softmax(-1)
        found: Array = likely.gather(1, torch.tensor(written)[:, None])[:, 0].numpy()
    return found
