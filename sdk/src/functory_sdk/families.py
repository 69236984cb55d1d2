"""The families of transformers models that can be taken apart here, and what is told of the others. No torch.

Apart from `torch.stacks`, which takes them apart: a model of another family is refused by its name, before anything else
that it lacks could be given as the reason.
"""

from __future__ import annotations

from functory.errors import NotSupported

BASES = {
    "bert": "bert", "roberta": "roberta", "xlm-roberta": "roberta", "camembert": "roberta", "electra": "electra",
    "distilbert": "distilbert", "modernbert": "model",
    "llama": "model", "mistral": "model", "qwen2": "model", "qwen3": "model", "gemma": "model", "gemma3_text": "model",
    "t5": "",
}  # fmt: skip
"""transformers' model type → by what name a model with a head holds the one without; empty where no name is put before."""


def unknown_family(reference: str, family: str, where: str = "") -> NotSupported:
    """Return the error for a family that is not known here."""
    return NotSupported(
        f"{reference!r} is of the family {family!r}, which is not known here.",
        where=where,
        do=f"the families are {', '.join(sorted(BASES))}; a backbone plugin can bring its own Network.",
    )
