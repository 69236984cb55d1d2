"""Opens the graph of a step of writing: puts OpenVINO's paged attention where the conversion left marks. No torch."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov
import openvino.opset13 as ops
from openvino.op import _PagedAttentionExtension as PagedAttention

from functory_sdk import ArtefactCorrupt, message_of

GRAPH, FACTS = "model.xml", "attention.json"
INPUTS = ("input_ids", "position_ids", "last")
PAGING = ("past_lens", "subsequence_begins", "block_indices", "block_indices_begins")
"""What paged attention is told of the texts of a step, all int32: tokens read before, (texts,); where the new ones begin, (texts
+ 1,); the pages of all texts, (pages,); where each text's begin, (texts + 1,)."""
LONGEST = "max_context_len"
"""And the tokens of the longest text, a number."""


@dataclass(frozen=True)
class Attention:
    """One layer's attention.

    :param groups: heads of keys and values.
    :param width: of a query's and a key's head.
    :param window: how many tokens a token sees, itself among them; all before it when 0.
    """

    heads: int
    groups: int
    width: int
    value_width: int
    scale: float
    window: int


@dataclass(frozen=True)
class Facts:
    """What is known of a graph besides itself.

    :param vocabulary: how many tokens have a score.
    """

    vocabulary: int
    layers: tuple[Attention, ...]

    @classmethod
    def read(cls, file: Path) -> Facts:
        """Return what `convert` wrote.

        :raises ArtefactCorrupt: where the file does not say it.
        """
        try:
            told = json.loads(file.read_text("utf-8"))
            found = cls(int(told["vocabulary"]), tuple(Attention(**layer) for layer in told["layers"]))
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise _unsaid(message_of(error), file) from error
        for layer in found.layers:
            sizes = layer.heads, layer.groups, layer.width, layer.value_width
            if not all(isinstance(size, int) and size > 0 for size in sizes):
                raise _unsaid(f"a layer has no such sizes: {sizes}", file)
        return found


def _unsaid(why: str, file: Path) -> ArtefactCorrupt:
    return ArtefactCorrupt(
        f"it does not say what the graph's attention is: {why}", where=str(file),
        do="get a fresh copy, or convert the function again.",
    )  # fmt: skip


def mark_of(layer: int) -> str:
    """Return the name of the mark where a layer's attention belongs."""
    return f"functory.attention.{layer}"


def cache_of(layer: int) -> tuple[str, str]:
    """Return the names of a layer's stored keys and values."""
    return f"key_cache.{layer}", f"value_cache.{layer}"


GROUP = 64
"""Numbers of a state that are rounded by one scale, where weights are int8 and the processor multiplies such. By OpenVINO's 32
smollm2 takes 1.2 to 1.4 times as long to write a batch; the log-probabilities of its texts are off by .054 in the mean by 64, by
.045 by 32, by .034 where nothing but weights is rounded; by 192, no faster, by .076."""


def compiled(
    folder: Path, facts: Facts, device: str, settings: Mapping[str, Any], *, is_rounded: bool
) -> Any:  # Any: an openvino CompiledModel
    """Return the graph of a folder, ready to run.

    :param is_rounded: whether its weights are int8.
    :raises ArtefactCorrupt: when OpenVINO cannot read it, or a mark is missing.
    """
    core = ov.Core()
    try:
        graph = core.read_model(folder / GRAPH)
        groups = {"DYNAMIC_QUANTIZATION_GROUP_SIZE": GROUP} if is_rounded and _parts(graph, GROUP) else {}
        return core.compile_model(paged(graph, facts.layers), device, {**settings, **groups})
    except Exception as error:
        raise ArtefactCorrupt(
            f"OpenVINO cannot open the graph: {message_of(error)}", where=str(folder / GRAPH),
            do="get a fresh copy, or convert the function again.",
        ) from error  # fmt: skip


def _parts(graph: Any, size: int) -> bool:  # Any: an openvino Model
    """Return whether what each of a graph's maps reads parts into groups of a size. Where it does not, nothing would be rounded,
    and the numbers of a text would hang on who is beside it.
    """
    read = [node.input(0).get_partial_shape()[-1] for node in graph.get_ops() if node.get_type_name() == "MatMul"]
    sizes = [one.get_length() for one in read if one.is_static]
    return all(one % size == 0 for one in sizes if one > 1)  # an angle of each position is a map of one number


def paged(graph: Any, layers: Sequence[Attention]) -> Any:  # Any: an openvino Model
    """Put paged attention in the place of each mark of a graph, and return it.

    :raises KeyError: where a mark is missing.
    """
    nodes = {node.get_friendly_name(): node for node in graph.get_ops()}
    told = [_parameter(name, ov.Type.i32, [-1]) for name in PAGING]
    longest = _parameter(LONGEST, ov.Type.i32, [])
    stored = []
    for number, layer in enumerate(layers):
        mark = nodes[mark_of(number)]
        given = [entry.get_source_output() for entry in mark.input(0).get_source_output().get_node().inputs()]
        caches = [_parameter(name, ov.Type.dynamic, [-1, -1, -1, -1]) for name in cache_of(number)]
        stored += caches
        attention = _attention(given, caches, told, longest, layer)
        for target in mark.output(0).get_target_inputs():
            target.replace_source_output(attention.output(0))
    graph.add_parameters([*told, longest, *stored])
    graph.validate_nodes_and_infer_types()
    return graph


def _parameter(name: str, kind: Any, shape: list[int]) -> Any:  # Any: openvino's types and nodes
    made = ops.parameter(ov.PartialShape(shape), kind)
    made.get_output_tensor(0).set_names({name})
    made.set_friendly_name(name)
    return made


def _attention(given: list[Any], caches: list[Any], told: list[Any], longest: Any, layer: Attention) -> Any:  # Any: as above
    """Return the node of a layer's attention. What it can besides (ALiBi, eviction, rotation, sparse attention, sinks) is off."""
    whole, real, byte = ov.Type.i32, ov.Type.f32, ov.Type.u8

    def none(kind: Any, axes: int = 1) -> Any:
        return ops.constant(np.zeros([0] * axes), kind).output(0)

    def number(kind: Any, value: float) -> Any:
        return ops.constant(value, kind).output(0)

    node = PagedAttention([
        *given, *(node.output(0) for node in (*caches, *told)),
        number(real, layer.scale), number(whole, layer.window), none(real), longest.output(0),
        none(whole), none(whole), none(whole), none(real),  # scores kept, rotation
        none(real), number(whole, 0), number(whole, 0),  # sparse attention
        none(real, 4),  # sinks
        number(whole, 0), none(whole), none(whole), none(whole),  # eviction
        none(whole), none(byte), none(whole),  # kinds of tokens, trees of tokens
    ])  # fmt: skip
    for name, size in (("k", layer.width), ("v", layer.value_width)):
        node.get_rt_info()[f"num_{name}_heads"] = layer.groups
        node.get_rt_info()[f"{name}_head_size"] = size
    return node
