"""How a sentence encoder reads a text, as its folder says: modules.json and the prompts, which sentence-transformers writes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from functory.contracts.backbone import Pooling
from functory.errors import ArtefactCorrupt
from functory_sdk.jsonfiles import read_json

MODULES, PROMPTS = "modules.json", "config_sentence_transformers.json"
_ROLES = {"document": "passage", "corpus": "passage"}
"""What sentence-transformers calls a text that is searched: here it is a passage."""
_FLAGS: dict[str, Pooling] = {
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_cls_token": "first",
    "pooling_mode_lasttoken": "last",
}
_MODES: dict[str, Pooling] = {"mean": "mean", "cls": "first", "lasttoken": "last"}


@dataclass(frozen=True)
class SentenceReading:
    """How hidden states become a text's vector.

    :param pooling: which of them count.
    :param is_normalised: its length tells nothing, and all are brought to one.
    """

    pooling: Pooling
    is_normalised: bool


def sentence_reading(folder: Path) -> SentenceReading | None:
    """Return how a model folder's own modules read a text; None where it has none, or pools in a way unknown here.

    Normalisation counts where it follows the pooling: a map between them is not kept, and its lengths were others.

    :raises ArtefactCorrupt: where a file of it is no JSON.
    """
    modules = _modules(folder)
    for place, (kind, path) in enumerate(modules):
        if kind == "Pooling":
            pooling = _pooling(read_json(folder, str(path / "config.json")))
            follows = modules[place + 1 : place + 2]
            return None if pooling is None else SentenceReading(pooling, [name for name, _ in follows] == ["Normalize"])
    return None


def sentence_prefixes(folder: Path) -> dict[str, str]:
    """Return what a sentence encoder was trained to read before a text, by the text's role; under '' before every other.

    :raises ArtefactCorrupt: where the file is no JSON, or a prompt no text.
    """
    config = read_json(folder, PROMPTS)
    prompts: Any = config.get("prompts") or {}  # Any: JSON as its authors left it
    if not isinstance(prompts, dict) or not all(isinstance(prompt, str) for prompt in prompts.values()):
        raise ArtefactCorrupt(f"the prompts of {PROMPTS} are no texts.", where=str(folder / PROMPTS), do="fetch it again.")
    default = str(config.get("default_prompt_name"))
    found = {_ROLES.get(str(name), str(name)): str(prompt) for name, prompt in prompts.items()}
    return {"": str(prompts[default]), **found} if default in prompts else found


def _modules(folder: Path) -> list[tuple[str, PurePosixPath]]:
    """Return each module's kind and its folder, in their order; those that lie elsewhere are not looked at."""
    file = folder / MODULES
    if not file.is_file():
        return []
    try:
        found: Any = json.loads(file.read_bytes())  # Any: JSON as its authors left it
        named = [(str(one["type"]).rpartition(".")[2], PurePosixPath(one.get("path") or "")) for one in found]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise ArtefactCorrupt(f"{MODULES} is no list of modules: {error!r}", where=str(file), do="fetch it again.") from error
    return [(kind, path) for kind, path in named if not path.is_absolute() and ".." not in path.parts]


def _pooling(config: dict[str, Any]) -> Pooling | None:
    """Return the pooling that a configuration names; None for several at once, or for one unknown here."""
    if "pooling_mode" in config:
        return _MODES.get(str(config["pooling_mode"]))
    wanted = [name for name, value in config.items() if name.startswith("pooling_mode_") and value is True]
    return _FLAGS.get(wanted[0]) if len(wanted) == 1 else None
