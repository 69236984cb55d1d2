"""Reads what adapter_config.json says, key by key: plain LoRA is read, whatever computes something else is refused by name.

PEFT gains a key with every variant of LoRA. One that is not known here and is set might mean anything, so it is refused too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from functory_lora.files import CONFIG
from functory_lora.folder import Folder
from functory_sdk import ArtefactCorrupt, FunctoryError, NotSupported

READ = frozenset(("peft_type", "r", "lora_alpha", "rank_pattern", "alpha_pattern", "use_rslora", "init_lora_weights", "bias",
                  "base_model_name_or_path", "task_type"))  # fmt: skip
"""The keys that are used here."""
IDLE = frozenset((
    "auto_mapping", "revision", "inference_mode", "peft_version", "lora_dropout", "target_modules", "exclude_modules",
    "layers_to_transform", "layers_pattern", "fan_in_fan_out", "modules_to_save", "megatron_core", "qalora_group_size",
    "ensure_weight_tying", "runtime_config", "loftq_config", "eva_config", "corda_config", "lora_ga_config",
))  # fmt: skip
"""The keys that say how an adapter was trained, what the names of its tensors say, too, or the details of another key."""
PLAIN_STARTS = ("true", "false", "none", "gaussian", "eva", "orthogonal", "mica")
"""Values of ``init_lora_weights`` that leave the base as it was."""
KNOWN_STARTS = ("pissa", "olora")
"""Those that take a part out of the base, which follows from the base alone."""
MERGE = (
    "merge it into its model with PEFT (model.merge_and_unload(), then save_pretrained) and take that folder as the backbone."
)
CONVERT = (
    "save it as PEFT converts it, where it was trained: model.save_pretrained(folder, "
    "path_initial_model_for_weight_conversion=…) with the adapter as it was before training; or " + MERGE
)
T = TypeVar("T", int, float)


@dataclass(frozen=True)
class Settings:
    """An adapter's configuration.

    :param start: what was taken out of the base before training, "pissa" or "olora"; empty where nothing was.
    """

    folder: Folder
    rank: int
    alpha: float
    ranks: Mapping[str, int]
    alphas: Mapping[str, float]
    is_stabilised: bool
    start: str

    def rank_of(self, path: str) -> int:
        """Return a map's rank, as PEFT finds it."""
        return _by_pattern(self.ranks, path, self.rank)

    def alpha_of(self, path: str) -> float:
        """Return a map's alpha; rank-stabilised LoRA (Kalajdzievski 2023) counts alpha / √rank instead of alpha / rank."""
        alpha = _by_pattern(self.alphas, path, self.alpha)
        return float(alpha * self.rank_of(path) ** 0.5 if self.is_stabilised else alpha)


def settings_of(folder: Folder) -> Settings:
    """Return what an adapter's configuration says.

    :raises NotSupported: for another method, a variant of LoRA, or a start that cannot be computed again.
    :raises ArtefactCorrupt: where a number is none.
    """
    config = folder.config
    _check_method(folder)
    return Settings(
        folder,
        rank=_number(folder, "r", config.get("r", 8), int),
        alpha=_number(folder, "lora_alpha", config.get("lora_alpha", 8), float),
        ranks=_pattern(folder, "rank_pattern", int),
        alphas=_pattern(folder, "alpha_pattern", float),
        is_stabilised=bool(config.get("use_rslora")),
        start=_start(folder),
    )


def _check_method(folder: Folder) -> None:
    """Refuse what is not plain LoRA, by its name.

    :raises NotSupported: for another method or a variant.
    """
    config = folder.config
    method = str(config.get("peft_type", "nothing")).upper()
    variants = [key for key, value in config.items() if key not in READ | IDLE and _is_set(value)]
    if config.get("bias", "none") not in ("none", None):
        variants.append(f"bias = {config['bias']!r}")
    if method != "LORA" or variants:
        found = f"the method {method}" if method != "LORA" else f"LoRA with {variants[0]}"
        raise NotSupported(f"the adapter is {found}; plain LoRA is read here.", where=str(folder.place / CONFIG), do=MERGE)


def _start(folder: Folder) -> str:
    """Return what was taken out of the base before training.

    :raises NotSupported: where that followed from data, or from chance.
    """
    given = str(folder.config.get("init_lora_weights", True)).lower()
    if given in PLAIN_STARTS:
        return ""
    if given in KNOWN_STARTS:
        return given
    raise NotSupported(
        f"the adapter began with init_lora_weights = {folder.config['init_lora_weights']!r}, which changes the base before "
        "training by what neither the adapter nor the base holds.",
        where=str(folder.place / CONFIG),
        do=CONVERT,
    )


def _is_set(value: Any) -> bool:
    return value not in (None, False, "", "none") and value != [] and value != {}


def _number(folder: Folder, key: str, given: Any, kind: type[T]) -> T:
    if isinstance(given, bool) or not isinstance(given, (int, float)) or kind(given) != given:
        raise _fault(folder, f"{key} = {given!r}, no number")
    return kind(given)


def _pattern(folder: Folder, key: str, kind: type[T]) -> dict[str, T]:
    """Return the numbers of maps that have another, by the pattern of their names."""
    given = folder.config.get(key) or {}
    if not isinstance(given, dict):
        raise _fault(folder, f"{key} = {given!r}, no object")
    return {name: _number(folder, f"{key}[{name!r}]", value, kind) for name, value in given.items()}


def _by_pattern(given: Mapping[str, T], path: str, otherwise: T) -> T:
    from peft.utils.other import get_pattern_key

    return given.get(get_pattern_key(given.keys(), path), otherwise)


def _fault(folder: Folder, what: str) -> FunctoryError:
    return ArtefactCorrupt(f"{CONFIG} says {what}.", where=str(folder.place / CONFIG), do="fetch the adapter again.")
