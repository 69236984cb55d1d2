"""The card of an adapter: README.md with the front matter that hubs read, and the lines that load it."""

from __future__ import annotations

import json
from typing import Any

from functory_sdk import BackboneSpec, Manifest

CLASSES = {"CAUSAL_LM": "AutoModelForCausalLM", "SEQ_2_SEQ_LM": "AutoModelForSeq2SeqLM"}
POOLED = {
    "each": "every token by itself",
    "mean": "the mean of the last hidden states over the text's tokens",
    "first": "the last hidden state of the first token",
    "last": "the last hidden state of the last token",
}


def card(name: str, manifest: Manifest, spec: BackboneSpec, config: dict[str, Any], about: dict[str, Any]) -> str:
    """Return the card as Markdown.

    :param config: adapter_config.json.
    :param about: functory.json.
    """
    base = config["base_model_name_or_path"] or ""
    front = {"library_name": "peft", "license": manifest.licence or "unknown"} | ({"base_model": base} if base else {})
    model = CLASSES.get(config["task_type"], "AutoModel")
    lines = ["---", *(f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in front.items()), "---", ""]
    lines += [f"# {name} {manifest.version}", ""]
    lines += [f"Low-rank updates of a functory function for {manifest.task.name}, in PEFT's format.", ""]
    lines += ["```python", "from peft import PeftModel", f"from transformers import {model}", ""]
    lines += [
        f"base = {model}.from_pretrained({base or '…'!r})",
        'model = PeftModel.from_pretrained(base, ".")',
        "```",
        "",
    ]
    own = about["backbone"]["name"]
    named = f"the backbone `{own}` of functory" if own else "a model from a folder"
    lines += [f"The base is {named}, whose weights have the sha256 `{spec.weights_hash}`.", ""]
    if spec.prefix():
        lines += [f"Before each text stands {spec.prefix()!r}.", ""]
    if "head" in about:
        lines += ["## The head", "", *_head(spec, about), ""]
    return "\n".join(lines)


def _head(spec: BackboneSpec, about: dict[str, Any]) -> list[str]:
    """Return how the task's head reads what the model gives."""
    readout = about["head"].get("readout", {})
    length = f", brought to the length √{spec.width}" if spec.is_normalised and not readout else ""
    read = {
        "pooled": f"reads one vector per text: {POOLED[readout.get('pooling', spec.pooling)]}{length}",
        "tokens": "reads the last hidden state of each token",
        "logits": "reads the scores of the next token",
        "likelihood": "reads the log-probability of each token",
        "places": "reads the last hidden states at the places that the rows name, one beside the other",
    }.get(about["head"]["reads"], f"reads the last hidden states as functory's {about['head']['reads']!r} does")
    lines = [
        f"`{about['head']['file']}` {read}. A `linear.weight` (outputs, width) and a `linear.bias` in it are its map."
    ]
    if readout:
        lines[0] += " Before it come `pooler.map` and `pooler.norm`, where they are there, as `functory.json` says."
    labels = about["state"].get("labels")
    if labels:
        lines += ["", "The labels, in the order of the outputs: " + ", ".join(f"`{label}`" for label in labels) + "."]
    return lines
