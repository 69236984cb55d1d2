"""``pipeline``, as transformers 4 had it: ``from functory.compat import pipeline`` is the one line that a program changes.

No task is known here. A name finds the pipeline that an installed distribution announces under it (`contracts.pipeline`), and
whatever no one announces goes to the one named ``others``: transformers' own.
"""

from __future__ import annotations

from typing import Any

from functory.contracts.pipeline import OTHERS
from functory.errors import NotSupported
from functory.plugins.registry import entries, known, load

_DEFAULTS: dict[str, object] = {"use_fast": True, "dtype": "auto"}
"""What an argument is when it is not given; None for all others."""


def pipeline(  # Any: objects of transformers, of which the core knows nothing
    task: str | None = None,
    model: Any = None,
    config: Any = None,
    tokenizer: Any = None,
    feature_extractor: Any = None,
    image_processor: Any = None,
    processor: Any = None,
    framework: str | None = None,
    revision: str | None = None,
    use_fast: bool = True,
    token: str | bool | None = None,
    device: Any = None,
    device_map: Any = None,
    dtype: Any = "auto",
    trust_remote_code: bool | None = None,
    model_kwargs: dict[str, Any] | None = None,
    pipeline_class: Any = None,
    **kwargs: Any,
) -> Any:
    """Return a pipeline for a task, with the arguments of transformers 4, in its order, and the same outputs.

    :param task: as transformers 4 named it: ``summarization``, ``translation_en_to_fr``. Found on the hub when not given.
    :param model: a folder, a name on the hub, or a model of transformers, which then needs its `tokenizer` beside it.
    :param framework: ``pt``, or nothing.
    :param kwargs: what the pipeline itself takes, for every later call.
    :raises NotSupported: when another framework than PyTorch is asked for.
    :raises UnknownComponent: when the distribution that has the task's pipeline is not installed.
    """
    if framework not in (None, "pt"):
        raise NotSupported(
            f"framework={framework!r}: transformers 5 computes by PyTorch alone, and so does this.",
            do="leave framework out. Weights of TensorFlow are converted by transformers 4: from_pretrained(…, from_tf=True).",
        )
    arguments = {
        "model": model, "config": config, "tokenizer": tokenizer, "feature_extractor": feature_extractor,
        "image_processor": image_processor, "processor": processor, "revision": revision, "use_fast": use_fast, "token": token,
        "device": device, "device_map": device_map, "dtype": dtype, "trust_remote_code": trust_remote_code,
        "model_kwargs": model_kwargs, "pipeline_class": pipeline_class,
    }  # fmt: skip
    given = {name: value for name, value in arguments.items() if value is not _DEFAULTS.get(name)}
    return load("pipelines", name_of(task))(task, **given, **_renamed(kwargs))


def name_of(task: str | None) -> str:
    """Return under which name a task's pipeline is announced: its own, or what stands before its first underscore.

    ``translation`` for ``translation_en_to_fr``. A name that this project's plugins have counts where none of them is
    installed, too, so that the error says which to install.
    """
    names = {entry.name for entry in entries("pipelines")} | set(known().get("pipelines", {}))
    wanted = task if isinstance(task, str) else ""
    return next((name for name in (wanted, wanted.partition("_")[0]) if name in names - {OTHERS}), OTHERS)


def _renamed(kwargs: dict[str, Any]) -> dict[str, Any]:  # Any: as above
    """Return arguments under the names that they have today."""
    old = {"use_auth_token": "token", "torch_dtype": "dtype"}
    return {old.get(name, name): value for name, value in kwargs.items()}
