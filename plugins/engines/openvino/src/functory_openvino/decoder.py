"""Turns a torch decoder into OpenVINO's graph of one step of writing: new tokens of many texts, one after the other, in one row.

A network is traced as it is, but for its attention. In the place of each layer's stands a mark, a slice of queries, keys and
values side by side; `graph.paged` puts OpenVINO's paged attention there when the graph is opened, since OpenVINO reads no file
that holds one. So every decoder whose attention transformers lets be exchanged is converted by the same lines.
"""

from __future__ import annotations

import copy
import json
import warnings
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov
import openvino.opset13 as ops
import torch
from openvino.frontend.pytorch import ConversionExtension, ModuleExtension
from torch import Tensor, nn

from functory_openvino.convert import OFF, compressed
from functory_openvino.graph import FACTS, GRAPH, INPUTS, Attention, Facts, mark_of
from functory_openvino.writing import WritingSession
from functory_sdk import Decoding, NotSupported, Program, Request, SessionOptions
from functory_sdk.torch import Network, structural_copy

WAY = "functory-openvino"
"""Under what name transformers finds the attention that is traced here."""
TRACED = 5
"""Tokens that a network is traced with: any number is read later."""
PROMPTED, PROBED = 48, 8
"""Tokens that a new graph is tried with, those among them that are read one by one."""


def convert(program: Program, folder: Path, precision: str) -> Program:
    """Write the graph of a program that writes, and what is known of its attention.

    :param program: with its torch model.
    :param folder: where the files go.
    :param precision: ``fp32`` or ``int8``: the weights', a scale for each row of them.
    :raises NotSupported: for a network whose attention cannot be exchanged, or is none that OpenVINO has; and where the graph
        gives other scores than the network.
    """
    network = program.model.merged().network
    step = Step(network)
    graph = _traced(step)
    vocabulary = int(graph.output(0).partial_shape[1].get_length())
    facts = Facts(vocabulary, tuple(place.facts for place in step.places if place.facts is not None))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FACTS).write_text(json.dumps(asdict(facts), indent=1), "utf-8")
    made = replace(program, model=None, folder=folder, precision="fp32")
    ov.save_model(graph, folder / GRAPH, compress_to_fp16=False)
    _check(made, network)
    if precision == "int8":  # of the graph that was tried, since rounding would hide much
        made = replace(made, precision=precision)
        ov.save_model(compressed(graph), folder / GRAPH, compress_to_fp16=False)
        _check(made, network)
    return made


def _check(program: Program, network: Network) -> None:
    """Let the graph score tokens after others, those of a prompt and some that are read one by one.

    :raises NotSupported: where it gives other scores: an attention that adds what nobody told would pass in silence.
    """
    most, spec = OFF[program.precision], network.spec
    size = max(PROBED + 1, min(PROMPTED, spec.context - 1))
    ids = torch.arange(size)[None] * max(1, spec.vocabulary // size) % spec.vocabulary
    with torch.inference_mode():
        likely = network.logits(network.hidden({"input_ids": ids, "attention_mask": torch.ones_like(ids)}))[0].log_softmax(-1)
    written = ids[0, -PROBED:]
    expected = likely[-PROBED - 1 : -1].gather(1, written[:, None])[:, 0].numpy()
    how = Decoding(max_new_tokens=PROBED)
    session = WritingSession(program, SessionOptions(), program.folder or Path())
    [found] = session.likelihood([Request(tuple(ids[0, :-PROBED].tolist()), how)], [written.tolist()])
    session.close()
    off = float(np.abs(found - expected).mean())
    if not off <= most:
        raise NotSupported(
            f"OpenVINO computes something else than {spec.reference!r} does: log-probabilities are off by {off:.2g} in the mean, "
            f"where {most:g} is expected of {program.precision}.", do="let the torch engine write.",
        )  # fmt: skip


class Place(nn.Module):
    """Where a layer's attention is computed: nothing is, here.

    :param layer: its number.
    """

    def __init__(self, layer: int) -> None:
        super().__init__()
        self.layer = layer
        self.facts: Attention | None = None

    def forward(self, queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        """Return as many numbers as attention gives, (tokens, heads · width)."""
        facts = self.facts
        return queries if facts is None else queries[:, : facts.heads * facts.value_width]


class Step(nn.Module):
    """One step of a decoder: new tokens in, the scores of some next ones out.

    :param network: it is copied, and shares its numbers.
    :raises NotSupported: where its attention cannot be exchanged.
    """

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = structural_copy(network).eval()
        self.places: list[Place] = []
        for layer, block in enumerate(self.network.blocks):
            numbered: list[Any] = [one for one in block.modules() if hasattr(one, "layer_idx") and hasattr(one, "config")]
            if not numbered:
                raise NotSupported(
                    "the openvino engine writes with encoder-decoders, and with decoders of transformers; "
                    f"{network.spec.reference!r} is neither.",
                    do="let the torch engine write, which has every architecture.",
                )
            attention = numbered[-1]  # some layers have a number, too
            attention.config = copy.copy(attention.config)  # the network's own is shared with the backbone
            attention.config._attn_implementation = WAY
            attention.functory_place = Place(layer)
            self.places.append(attention.functory_place)

    def forward(self, ids: Tensor, positions: Tensor, last: Tensor) -> Tensor:
        """Return the scores of the tokens that come after some, (some, vocabulary).

        :param ids: (tokens,) of all texts, one text after the other.
        :param positions: (tokens,) the place of each in its text.
        :param last: (some,) after which of the tokens.
        """
        batch = {"input_ids": ids[None], "attention_mask": torch.ones_like(ids)[None], "positions": positions[None]}
        network = self.network
        hidden = network.run(0, network.points, {}, network.prepare(batch))["hidden"][0]  # (tokens, width)
        return network.logits(hidden[last])


def attend(
    module: Any, queries: Tensor, keys: Tensor, values: Tensor, mask: Any, *, scaling: float | None = None,
    sliding_window: int | None = None, **others: Any,
) -> tuple[Tensor, None]:  # fmt: skip
    """Compute a layer's attention, as transformers asks for it: here it is only marked.

    :param queries: (1, heads, tokens, width); keys and values have as many heads or fewer.
    :raises NotSupported: for attention that bends scores or adds to them.
    """
    place: Place = module.functory_place
    odd = sorted(name for name in ("softcap", "s_aux", "position_bias") if others.get(name) is not None)
    if odd:
        raise NotSupported(f"OpenVINO's paged attention has no {odd[0]}.", do="let the torch engine write.")
    if place.facts is None:  # sizes are known before anything is traced, where they would be graph
        scale = queries.shape[-1] ** -0.5 if scaling is None else float(scaling)
        place.facts = Attention(
            heads=int(queries.shape[1]), groups=int(keys.shape[1]), width=int(queries.shape[3]), value_width=int(values.shape[3]),
            scale=scale, window=int(sliding_window or 0),
        )  # fmt: skip
    facts = place.facts
    sizes = facts.heads * facts.width, facts.groups * facts.width, facts.groups * facts.value_width
    given = zip((queries, keys, values), sizes, strict=True)
    found = place(*(each.transpose(1, 2).reshape(-1, size) for each, size in given))
    return found.reshape(1, -1, facts.heads, facts.value_width), None


def _traced(step: Step) -> Any:  # Any: an openvino Model
    """Return the graph of a step, with a mark in the place of each layer's attention."""
    from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

    ALL_ATTENTION_FUNCTIONS.register(WAY, attend)
    example = torch.arange(TRACED), torch.arange(TRACED), torch.tensor([TRACED - 1])
    with warnings.catch_warnings(), torch.inference_mode():
        warnings.simplefilter("ignore")  # the tracer's remarks on sizes that stay as they are
        step(*example)  # every place learns its sizes
        marks = [one for place in step.places for one in _mark(place)]
        graph = ov.convert_model(step, example_input=example, extension=marks)
    for name, entry in zip(INPUTS, graph.inputs, strict=True):
        entry.get_tensor().set_names({name})
        entry.get_node().set_partial_shape(ov.PartialShape([-1]))
    graph.validate_nodes_and_infer_types()
    return graph


def _mark(place: Place) -> list[Any]:  # Any: openvino's extensions
    """Return what puts a mark where a place is."""
    name, facts = f"functory_place_{place.layer}", place.facts
    if facts is None:
        raise NotSupported("a layer of this decoder computes its attention by itself.", do="let the torch engine write.")

    def build(context: Any) -> list[Any]:  # Any: openvino's node context and outputs
        whole = ops.concat([context.get_input(number) for number in range(3)], 1)
        begin, end, stride, axis = (
            ops.constant(np.array([number], np.int64)) for number in (0, facts.heads * facts.value_width, 1, 1)
        )
        found = ops.slice(whole, begin, end, stride, axis)
        found.set_friendly_name(mark_of(place.layer))
        return [found.output(0)]

    return [
        ModuleExtension(
            place, name, evaluate=lambda module, *given: module(*given), convert=lambda _, target, *given: target(*given)
        ),
        ConversionExtension(name, build),
    ]
