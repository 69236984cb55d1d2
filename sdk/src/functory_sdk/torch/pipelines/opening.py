"""Opens a pipeline as transformers 4's ``pipeline`` did: model and tokenizer found from what the call gave.

Version 5 refuses the names of the tasks that it removed, whatever class is to run them, and so cannot be asked to do it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from transformers import AutoConfig, AutoTokenizer, Pipeline
from transformers.utils import logging

logger = logging.get_logger("transformers.pipelines")

NEITHER = "a {name} is given, and no model that it belongs to: name the model too"
NO_TOKENIZER = "a model alone does not say where its tokenizer lies: give tokenizer, or the folder of both as model"


@dataclass(frozen=True)
class Wanted:
    """What one task's pipeline is made of."""

    pipeline: type[Pipeline]
    model: Any
    """The auto class that loads its models."""
    default: tuple[str, str] | None = None
    """The model that transformers 4 took where none was named, with its revision."""


def opened(wanted: Wanted, task: str, /, **arguments: Any) -> Pipeline:  # Any: the arguments of transformers' pipeline
    """Return a task's pipeline.

    :param task: as the program wrote it.
    :param arguments: those of `functory.compat.pipeline`; what it has no name for goes to the pipeline itself.
    :raises RuntimeError: when a tokenizer is given without a model.
    :raises ValueError: when two arguments say different things, as transformers 4 said.
    """
    loading = dict(arguments.pop("model_kwargs", None) or {})
    hub = _hub(arguments, loading)
    model, config = _model_and_config(wanted, task, arguments, loading, hub)
    tokenizer = _tokenizer(arguments, model, config, loading, hub)
    if isinstance(model, str):
        model = wanted.model.from_pretrained(model, config=config, **hub, **_placed(arguments, loading)).eval()
    unused = ("feature_extractor", "image_processor", "processor", "use_fast", "device_map", "dtype", "modelcard")
    rest = {name: value for name, value in arguments.items() if name not in unused}
    made: Pipeline = (rest.pop("pipeline_class", None) or wanted.pipeline)(model=model, tokenizer=tokenizer, task=task, **rest)
    return made


def _hub(arguments: dict[str, Any], loading: dict[str, Any]) -> dict[str, Any]:
    """Return what every file is fetched with."""
    if "use_auth_token" in loading:
        if "token" in arguments:
            raise ValueError("token and use_auth_token, its old name, are both given: give token alone")
        arguments["token"] = loading.pop("use_auth_token")
    names = ("revision", "token", "trust_remote_code", "code_revision", "local_files_only")
    return {name: arguments.pop(name) for name in names if name in arguments}


def _model_and_config(
    wanted: Wanted, task: str, arguments: dict[str, Any], loading: dict[str, Any], hub: dict[str, Any]
) -> tuple[Any, Any]:
    """Return the model, or where it is, and its configuration, where one was given or has to be read."""
    model, config = arguments.pop("model", None), arguments.pop("config", None)
    if model is None:
        for name in ("tokenizer", "feature_extractor"):
            if arguments.get(name) is not None:
                raise RuntimeError(NEITHER.format(name=name))
        model = _default(wanted, hub)
    if isinstance(model, Path):
        model = str(model)
    if isinstance(config, str):
        arguments.setdefault("tokenizer", model if isinstance(model, str) else config)
        config = AutoConfig.from_pretrained(config, **hub, **loading)
    return model, config


def _default(wanted: Wanted, hub: dict[str, Any]) -> str:
    """Return the model that is taken where none is named."""
    if wanted.default is None:
        raise ValueError("no model is named, and this task has none by default: name one, or write translation_en_to_fr")
    name, revision = wanted.default
    hub.setdefault("revision", revision)
    logger.warning(
        f"no model is named: {name} is taken, at revision {hub['revision']}. Name one to be sure."
    )
    return name


def _tokenizer(arguments: dict[str, Any], model: Any, config: Any, loading: dict[str, Any], hub: dict[str, Any]) -> Any:
    """Return the tokenizer: the one that was given, or the one that lies beside the model."""
    found = arguments.pop("tokenizer", None)
    if found is None and not isinstance(model, str):
        raise Exception(NO_TOKENIZER)
    found = model if found is None else str(found) if isinstance(found, Path) else found
    if not isinstance(found, str | tuple):
        return found
    name, own = found if isinstance(found, tuple) else (found, loading)
    own = {key: value for key, value in own.items() if key not in ("dtype", "torch_dtype")}
    return AutoTokenizer.from_pretrained(name, **{"use_fast": arguments.get("use_fast", True), **hub, **own})


def _placed(arguments: dict[str, Any], loading: dict[str, Any]) -> dict[str, Any]:
    """Return what the weights are loaded with: where to, and how precise."""
    kept = dict(loading)
    if "torch_dtype" in kept:
        kept["dtype"] = kept.pop("torch_dtype")
    for name in ("device_map", "dtype"):
        if arguments.get(name) is not None:
            if name in kept:
                raise ValueError(f"{name} is given twice, in model_kwargs too: give it once")
            kept[name] = arguments[name]
    if "device_map" in arguments and arguments.get("device") is not None:
        logger.warning("device and device_map are both given: device_map says where the model is, so leave device out")
    return {"dtype": "auto", **kept}
