"""Find a model of the hub: in the local cache first, then on the hub. Pinned to a commit either way."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path

from functory_sdk import ArtefactCorrupt, FunctoryError, OptionError, WeightsMissing, message_of
from functory_sdk.checkpoints import weight_files

FILES = [
    "config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json",
    "source.spm", "target.spm", "vocab.json", "target_vocab.json", "sentencepiece.bpe.model",
    "chat_template.jinja", "additional_chat_templates/*.jinja", "README.md", "modules.json", "*_Pooling/config.json",
    "config_sentence_transformers.json",
    "model.safetensors", "model.safetensors.index.json", "model-*.safetensors",
]  # fmt: skip
"""What is fetched; no pickle and no code."""
COMMIT_LENGTH = 40
ALLOWED = "; or allow it: functory.load(…, hubs='hf'), --hub hf, or hubs = [\"hf\"] in the configuration"
"""How a user lets a saved function fetch its backbone."""


@dataclass(frozen=True)
class HubId:
    """A model of the hub.

    :param name: ``org/name``.
    :param revision: a branch, a tag or a commit; empty where the user gave none.
    """

    name: str
    revision: str = ""

    @classmethod
    def parse(cls, place: str) -> HubId:
        """Return the id that a place names.

        :raises OptionError: where it is none.
        """
        name, _, revision = place.partition("@")
        if not name or name.count("/") > 1 or any(part in ("", ".", "..") for part in name.split("/")):
            raise OptionError(
                f"{place!r} is no model.", do="name a folder (./folder) or a hub id (hf:org/name@revision)."
            )
        return cls(name, revision)


def cached(model: HubId) -> Path | None:
    """Return the snapshot in the local cache, where it is whole.

    :raises ArtefactCorrupt: where a file of it is damaged, which the hub's own library would not notice.
    """
    from huggingface_hub import constants, try_to_load_from_cache

    revision = model.revision or constants.DEFAULT_REVISION
    found = try_to_load_from_cache(model.name, "config.json", cache_dir=constants.HF_HUB_CACHE, revision=revision)
    if not isinstance(found, str):
        return None
    folder = Path(found).parent
    try:
        weight_files(folder)
    except FunctoryError as error:
        if isinstance(error, ArtefactCorrupt) and error.where.endswith(".safetensors"):
            error.do = f"fetch it anew: hf download {model.name} --force-download."
            raise
        return None  # a fetch that was broken off
    return folder


def _check_may_ask(model: HubId, may_fetch: bool) -> None:
    """Refuse to ask the hub where the user did not allow it, or forbade it altogether (HF_HUB_OFFLINE)."""
    from huggingface_hub import constants

    if not may_fetch:
        raise _missing(model, "a saved function is no reason to ask the hub", ALLOWED)
    if constants.HF_HUB_OFFLINE:
        raise _missing(model, "HF_HUB_OFFLINE forbids to ask the hub")


def locate(model: HubId, *, may_fetch: bool) -> Path:
    """Return where the snapshot lies, or will lie once it is fetched; asks nobody.

    :param may_fetch: whether the user allowed to ask the hub.
    :raises WeightsMissing: where it is not in the cache and the hub may not be asked.
    """
    from huggingface_hub import constants

    found = cached(model)
    if found is not None:
        return found
    _check_may_ask(model, may_fetch)
    return Path(constants.HF_HUB_CACHE) / f"models--{model.name.replace('/', '--')}"


def fetch(model: HubId, *, may_fetch: bool) -> Path:
    """Return the snapshot's folder, whose name is the commit; fetched where the cache has none.

    :param may_fetch: whether the user allowed to ask the hub.
    :raises WeightsMissing: where neither cache nor hub have it, or the hub may not be asked.
    """
    folder = cached(model) or _download(model, may_fetch)
    if not model.revision:
        warnings.warn(
            f"{model.name} was asked for without a revision: {folder.name} is used, and recorded. "
            f"Write hf:{model.name}@{folder.name} to have the same one in every build.",
            stacklevel=2,
        )
    return folder


def _download(model: HubId, may_fetch: bool) -> Path:
    from huggingface_hub import constants, snapshot_download

    _check_may_ask(model, may_fetch)
    try:
        found = snapshot_download(
            model.name, revision=model.revision or None, cache_dir=constants.HF_HUB_CACHE, allow_patterns=FILES
        )
    except (OSError, ValueError, RuntimeError) as error:  # no network, no such model or revision, no permission
        raise _missing(model, f"the hub did not give it ({type(error).__name__}: {message_of(error)})") from error
    return Path(found)


def _missing(model: HubId, why: str, more: str = "") -> WeightsMissing:
    from huggingface_hub import constants

    at = f" --revision {model.revision}" if model.revision else ""
    return WeightsMissing(
        f"the model {model.name}{'@' + model.revision if model.revision else ''} is not on this machine, and {why}.",
        where=f"the cache {constants.HF_HUB_CACHE}",
        do=f"with a network: hf download {model.name}{at}; or name a folder that has it: backbone = './folder'{more}.",
    )
