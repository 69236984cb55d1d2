"""The function card: README.md of an artefact, with the front matter that model hubs read (Mitchell et al. 2019)."""

from __future__ import annotations

import json
from typing import Any

from functory.artefact.manifest import CompositeRecord, Manifest, TorchRecord


def card(manifest: Manifest) -> str:
    """Return the card as Markdown."""
    form = manifest.forms[0]
    front = {
        "library_name": "functory",
        "license": manifest.licence or "unknown",
        "pipeline_tag": manifest.task.name,
        "tags": ["functory", manifest.task.name],
    }
    if isinstance(form, TorchRecord):
        front["base_model"] = form.spec.reference
    lines = ["---", *(f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in front.items()), "---", ""]
    lines += [f"# {manifest.name} {manifest.version}", "", _sentence(manifest), ""]
    lines += ["```python", "import functory", "", f'{manifest.name.replace("-", "_")} = functory.load("…")', "```", ""]
    if manifest.metrics:
        lines += ["## Measured", "", "| metric | value | interval | baseline |", "|---|---|---|---|"]
        lines += [_metric(name, value) for name, value in manifest.metrics.items()]
        lines.append("")
    lines += [
        "## Input and output",
        "",
        "```json",
        json.dumps(manifest.signature, ensure_ascii=False, indent=1),
        "```",
        "",
    ]
    if manifest.data:
        lines += ["## Data", "", *(f"- {key}: {_data(value)}" for key, value in manifest.data.items()), ""]
    if manifest.licences:
        lines += ["## Licences of what it was made from", "", *(f"- {one}" for one in manifest.licences), ""]
    if manifest.notes:
        lines += ["## Notes", "", *(f"- {note}" for note in manifest.notes), ""]
    lines += ["## Made with", "", *(f"- {name} {version}" for name, version in manifest.versions.items()), ""]
    return "\n".join(lines)


def _sentence(manifest: Manifest) -> str:
    form = manifest.forms[0]
    if isinstance(form, CompositeRecord):
        return f"A composite for {manifest.task.name}, made of {', '.join(form.parts)}."
    if isinstance(form, TorchRecord):
        return f"A function for {manifest.task.name}: {form.spec.reference} with the adaptation {form.adaptation.name}."
    made = f"{form.engine.name} {form.program['precision']}, made from {form.spec.reference}"
    return f"A function for {manifest.task.name}, as {made}."


def _data(value: Any) -> str:
    """Return what is known of one split, or of the fit, as words."""
    if not isinstance(value, dict):
        return str(value)
    if "examples" in value:
        return f"{value['examples']:,} examples, sha256 {str(value.get('sha256', ''))[:16]}…"
    return ", ".join(
        f"{name} {figure:.4g}" if isinstance(figure, float) else f"{name} {figure}" for name, figure in value.items()
    )


def _metric(name: str, value: Any) -> str:
    if not isinstance(value, dict):
        return f"| {name} | {value} | | |"
    low, high, base = (value.get(key) for key in ("low", "high", "baseline"))
    interval = f"{low:.3f}–{high:.3f}" if low is not None and high is not None else ""
    return f"| {name} | {value['value']:.3f} | {interval} | {f'{base:.3f}' if base is not None else ''} |"
