"""Loads a transformers model folder as a network that can be cut: safetensors only, nothing downloaded."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from functory.contracts.backbone import BackboneSpec
from functory.contracts.family import Family
from functory.errors import ArtefactCorrupt, FunctoryError, NotSupported
from functory.machine.places import cache_root
from functory.wording.told import told
from functory_sdk.checkpoints import Tensors, tensor_sizes, weight_files, wrapped_by
from functory_sdk.families import family_of
from functory_sdk.jsonfiles import read_json
from functory_sdk.torch.drawing import drawing
from functory_sdk.torch.from_model import check_odd, network_from
from functory_sdk.torch.network import Network

_LAYER = re.compile(r"(?:^|\.)(?:layers?|blocks?|h)\.(\d+)\.")
"""The part of a name that puts a tensor into a layer."""


def load_transformers(folder: Path, spec: BackboneSpec) -> Network:
    """Return the network of a model folder (config.json, model.safetensors or its shards), in float32.

    Weights that the network does not use, such as a classifier's head, are left aside in silence; weights that
    it lacks are an error: transformers would draw them at random. So is one that a layer has no place for, since whoever
    made it computed something with it.

    :raises NotSupported: when its family cannot be cut, its weights are quantised, or it computes something else.
    :raises ArtefactCorrupt: when weights are missing, have other shapes or hold what is no number, or transformers cannot
        read the folder.
    """
    family = family_of(spec.family, spec.reference, str(folder / "config.json"))
    config = read_json(folder, "config.json")
    _check_traits(config, family, folder)
    model, told = _filled(folder, spec, family, config) or _loaded(folder, spec, family)
    _check_weights(told, config, folder)
    _check_numbers(model, folder)
    for module in model.modules():
        if hasattr(module, "chunk_size_feed_forward"):  # saves memory, changes no number, and takes rows of certain lengths only
            module.chunk_size_feed_forward = 0
    if cache_root() not in folder.absolute().parents:
        _keep(model)
    return network_from(model, spec)


def _filled(folder: Path, spec: BackboneSpec, family: Family, config: Mapping[str, Any]) -> tuple[Any, Mapping[str, Any]] | None:
    """Return the family's own model with its weights, and what fits and what does not, as transformers tells it.

    None where the model is transformers'. A model whose tensors are all in the files takes them as they lie there; another is
    made with first values, for those that no file has.

    :raises ArtefactCorrupt: where it cannot be made, or is far larger than its weights.
    """
    import torch

    sizes = _sizes(folder)
    _check_layers(spec, sizes, folder)
    with _making(family, folder), torch.device("meta"), drawing(0):
        model: Any = family.model(config)
    if model is None:
        return None
    _check_held(sum(parameter.numel() for parameter in model.parameters()), sum(sizes.values()), folder)
    held, places = Tensors(folder, family.base), model.state_dict()
    names = {name if name in places else name.removeprefix(f"{family.base}."): name for name in held}
    found = {name: torch.from_numpy(held[names[name]]).to(one.dtype) for name, one in places.items() if name in names}
    other = [(name, one.shape, places[name].shape) for name, one in found.items() if one.shape != places[name].shape]
    if _is_whole(model, found):
        model.load_state_dict(found if not other else {}, strict=False, assign=True)
    else:
        with _making(family, folder), drawing(0):
            model = family.model(config)
        model.load_state_dict(found if not other else {}, strict=False)
    return model, {
        "missing_keys": [name for name in places if name not in names],
        "mismatched_keys": other,
        "unexpected_keys": [name for name in names if name not in places],
    }


def _is_whole(model: Any, found: Mapping[str, Any]) -> bool:
    """Whether each tensor of a model is found and has one place, so that none of its first values counts."""
    tensors = [*model.named_parameters(remove_duplicate=False), *model.named_buffers(remove_duplicate=False)]
    return {name for name, _ in tensors} == set(found) and len({id(one) for _, one in tensors}) == len(tensors)


@contextmanager
def _making(family: Family, folder: Path) -> Iterator[None]:
    """Tell whatever a family raises where it makes its model as the fault of the files: a stranger's are the reason.

    :raises ArtefactCorrupt: in place of an error that is none of this project's.
    """
    try:
        yield
    except FunctoryError as error:
        raise error.located(str(folder / "config.json")) from error.__cause__
    except Exception as error:
        raise ArtefactCorrupt(
            f"the family {family.name!r} cannot make the model: {told(error)}",
            where=str(folder / "config.json"),
            do="take config.json and the weights from the same revision of the model.",
        ) from error


def _sizes(folder: Path) -> dict[str, int]:
    """Return how many numbers each tensor of a model folder has."""
    return {name: size for file in weight_files(folder) for name, size in tensor_sizes(file).items()}


def _loaded(folder: Path, spec: BackboneSpec, family: Family) -> tuple[Any, Mapping[str, Any]]:  # Any: transformers has no types
    """Return the model, and what transformers tells of its weights.

    :raises ArtefactCorrupt: whatever transformers raises: a stranger's files are the reason.
    """
    import torch
    import transformers

    kinds = {
        "encoder": transformers.AutoModel,
        "decoder": transformers.AutoModelForCausalLM,
        "encoder-decoder": transformers.AutoModelForSeq2SeqLM,
    }
    sizes = _sizes(folder)
    try:
        with quiet(), drawing(0):  # layers draw values before they get theirs
            is_bare = spec.architecture == "decoder" and not spec.has_logits
            kind = transformers.AutoModel if is_bare else kinds[spec.architecture]
            _check_size(kind, sizes, folder)
            found: tuple[Any, Mapping[str, Any]] = kind.from_pretrained(
                folder, dtype=torch.float32, use_safetensors=True, local_files_only=True, trust_remote_code=False,
                attn_implementation=family.attention, output_loading_info=True, ignore_mismatched_sizes=True,
                key_mapping=_mapping(wrapped_by(sizes, family.base)),
            )  # fmt: skip
    except FunctoryError:
        raise
    except Exception as error:
        raise ArtefactCorrupt(
            f"transformers cannot load the model: {told(error)}",
            where=str(folder),
            do="take config.json and the weights from the same revision of the model, as save_pretrained wrote them.",
        ) from error
    return found


def _check_layers(spec: BackboneSpec, sizes: Mapping[str, int], folder: Path) -> None:
    """Refuse far more layers than the weights have: making them could take for ever.

    :raises ArtefactCorrupt: naming both numbers.
    """
    places = [int(found[1]) for name in sizes if (found := _LAYER.search(name))]
    held = max(places, default=-1) + 1
    if spec.layers > 2 * held + 2:
        raise _oversized(f"{spec.layers:,} layers", f"{held:,}", folder)


def _check_size(kind: Any, sizes: Mapping[str, int], folder: Path) -> None:
    """Refuse a model far larger than its weights: transformers would fill this machine's memory with the rest.

    :param kind: transformers' class for models of this kind.
    :raises ArtefactCorrupt: naming both numbers.
    """
    import torch
    import transformers

    config = transformers.AutoConfig.from_pretrained(
        folder, local_files_only=True, trust_remote_code=False, dtype=torch.float32
    )
    with torch.device("meta"):
        wanted = sum(parameter.numel() for parameter in kind.from_config(config).parameters())
    _check_held(wanted, sum(sizes.values()), folder)


def _check_held(wanted: int, held: int, folder: Path) -> None:
    """Refuse a model of far more numbers than its weights have.

    :raises ArtefactCorrupt: naming both.
    """
    if wanted > 2 * held + 1_000_000:
        raise _oversized(f"{wanted:,} numbers", f"{held:,}", folder)


def _oversized(wanted: str, held: str, folder: Path) -> ArtefactCorrupt:
    return ArtefactCorrupt(
        f"config.json speaks of a model of {wanted}; the weights hold {held}.",
        where=str(folder / "config.json"),
        do="take config.json and the weights from the same revision of the model.",
    )


def _mapping(patterns: Sequence[str]) -> dict[str, str] | None:
    """Return patterns as transformers wants them, each once in a table: what repeats one says so by an empty group."""
    return {pattern + "(?:)" * place: "" for place, pattern in enumerate(patterns)} or None


def _check_traits(config: dict[str, Any], family: Family, folder: Path) -> None:
    """Refuse what a configuration turns on and no network here computes.

    :raises NotSupported: naming it.
    :raises ArtefactCorrupt: where its value is none.
    """
    where = str(folder / "config.json")
    quantised = config.get("quantization_config")
    if quantised:
        method = quantised.get("quant_method", "unnamed") if isinstance(quantised, dict) else quantised
        raise NotSupported(
            f"the weights are quantised (quantization_config: {method}); those of float types are read here.",
            where=where,
            do="take the model that was quantised; or load it with transformers, model.dequantize(), and save it again.",
        )
    check_odd(family, config, "config.json", where)
    window = config.get("sliding_window")
    if window is not None and (isinstance(window, bool) or not isinstance(window, int) or window < 1):
        raise ArtefactCorrupt(
            f"config.json says sliding_window = {window!r}, no whole number above 0.",
            where=where,
            do="take the config.json that came with the weights.",
        )


def _check_weights(told: Mapping[str, Any], config: Mapping[str, Any], folder: Path) -> None:
    """Refuse a model that lacks weights, has some of another shape, or some that its layers have no place for.

    :raises ArtefactCorrupt: for weights that do not fit the configuration.
    :raises NotSupported: for those that belong to something else.
    """
    classes = config.get("architectures")
    named = classes[0] if isinstance(classes, list) and classes else "model without a named class"
    lacking = sorted(name for name in told["missing_keys"] if "pooler." not in name)
    other = sorted((str(name), tuple(found), tuple(wanted)) for name, found, wanted in told["mismatched_keys"])
    if lacking or other:
        shape = "" if lacking else f": {'×'.join(map(str, other[0][1]))} where config.json says {'×'.join(map(str, other[0][2]))}"
        first = lacking[0] if lacking else other[0][0]
        raise ArtefactCorrupt(
            f"the weights, a {named}'s, do not fit config.json: {len(lacking) + len(other)} are missing or of another shape, "
            f"{first!r} first{shape}.",
            where=str(folder),
            do="take config.json and the weights from the same revision of the model.",
        )
    beyond = sorted(name for name in told["unexpected_keys"] if _LAYER.search(name))
    if beyond:
        raise NotSupported(
            f"the weights hold {beyond[0]!r}{f' and {len(beyond) - 1} more' if beyond[1:] else ''}, for which no layer has a "
            "place: what they compute is not known here.",
            where=str(folder),
            do="where they are an adapter's, merge it (model.merge_and_unload(), then save_pretrained); where config.json says "
            "fewer layers than there are, take the one that came with the weights.",
        )


def _check_numbers(model: Any, folder: Path) -> None:
    """Refuse weights that hold NaN or infinity, as a training that went astray leaves them: every output would be NaN.

    :raises ArtefactCorrupt: naming the first such tensor.
    """
    import torch

    for name, weight in model.named_parameters():
        if not torch.isfinite(weight.sum()) and not torch.isfinite(weight).all():  # the sum alone is quick, and may overflow
            raise ArtefactCorrupt(
                f"the weight {name!r} holds what is no number (NaN or infinity).",
                where=str(folder),
                do="take the weights of an earlier checkpoint, from before its training went astray.",
            )


def _keep(model: Any) -> None:
    """Give a model memory of its own: the library maps the files, and one that is written over would change a network
    that is alive. Files of the cache never are.
    """
    for tensor in (*model.parameters(), *model.buffers()):
        tensor.data = tensor.data.clone()


@contextmanager
def quiet() -> Iterator[None]:
    """Keep transformers' bars and warnings off the terminal: what they would say is an error here, or nothing."""
    from logging import CRITICAL

    from transformers.utils import logging as theirs

    logging: Any = theirs  # without types
    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity(CRITICAL)
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()
