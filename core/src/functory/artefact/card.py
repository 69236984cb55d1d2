"""The function card: README.md of an artefact, with the front matter that model hubs read (Mitchell et al. 2019)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from functory.artefact.manifest import Manifest
from functory.measuring.mistakes import wrong_line
from functory.measuring.tables import MANY_ROWS, class_rows, metric_rows, trial_rows
from functory.wording.harmless import harmless, harmless_json

if TYPE_CHECKING:
    from functory.measuring.report import Metric, Report


def card(manifest: Manifest, report: Report | None = None) -> str:
    """Return the card as Markdown; figures are the report's, where there is one."""
    form = manifest.forms[0]
    front = {
        "library_name": "functory",
        "license": manifest.licence or "unknown",
        "pipeline_tag": manifest.task.name,
        "tags": ["functory", manifest.task.name],
    }
    if form.base_model():
        front["base_model"] = form.base_model()
    lines = ["---", *(f"{key}: {_json(value)}" for key, value in front.items()), "---", ""]
    lines += [f"# {manifest.name} {manifest.version}", "", sentence(manifest), ""]
    lines += ["```python", "import functory", "", f'{manifest.name.replace("-", "_")} = functory.load("…")', "```", ""]
    if report is not None:
        lines += [*_measured(report), ""]
    elif manifest.metrics:
        lines += ["## Measured", "", *_table(["metric", "value", "interval", "baseline"], _figures(manifest)), ""]
    if manifest.tried:
        lines += ["## Tried", "", "On examples that no fit had seen:", "", *_table(*trial_rows(manifest.tried)), ""]
    lines += [
        "## Input and output",
        "",
        "```json",
        _json(manifest.signature, indent=1),
        "```",
        "",
    ]
    if manifest.data:
        lines += ["## Data", "", *(_item(f"{key}: {data_line(value)}") for key, value in manifest.data.items()), ""]
    if manifest.licences:
        lines += ["## Licences of what it was made from", "", *map(_item, manifest.licences), ""]
    if manifest.notes:
        lines += ["## Notes", "", *map(_item, manifest.notes), ""]
    lines += ["## Made with", "", *(_item(f"{name} {version}") for name, version in manifest.versions.items()), ""]
    return harmless("\n".join(lines))


def _json(value: object, indent: int | None = None) -> str:
    """Return a value as JSON that holds nothing to turn the card around."""
    return harmless_json(json.dumps(value, ensure_ascii=False, indent=indent))


def _item(said: str) -> str:
    """Return one item of a list; what others said neither ends it nor is read as markup of a page."""
    return "- " + " ".join(said.replace("<", "&lt;").split())


def sentence(manifest: Manifest) -> str:
    """Return in one sentence what a function does and what it is made of."""
    return manifest.forms[0].sentence(manifest.task.name)


def data_line(value: Any) -> str:
    """Return what is known of one split, or of the fit, as words."""
    if not isinstance(value, dict):
        return str(value)
    if "examples" in value:
        return f"{value['examples']:,} examples, sha256 {str(value.get('sha256', ''))[:16]}…"
    return ", ".join(
        f"{name} {figure:.4g}" if isinstance(figure, float) else f"{name} {figure}" for name, figure in value.items()
    )


def _measured(report: Report) -> list[str]:
    """Return what was measured on what: the metrics, the classes, how many answers were wrong."""
    lines = ["## Measured", "", f"{report.headline()}. {report.footnote()}", "", *_table(*metric_rows(report))]
    if report.wrong is not None:
        said = wrong_line(report.wrong, report.examples)
        lines += ["", f"{said[:1].upper()}{said[1:]}."]
    if report.per_class:
        header, rows = class_rows(report.per_class)
        lines += ["", *_table(header, rows[:MANY_ROWS])]
        lines += ["", f"… and {len(rows) - MANY_ROWS:,} classes more."] if len(rows) > MANY_ROWS else []
    return lines


def _figures(manifest: Manifest) -> list[list[str]]:
    """Return the rows of a function that has figures and no report."""
    return [[name, *_figure(metric)] for name, metric in manifest.metrics.items()]


def _figure(metric: Metric) -> list[str]:
    interval = f"{metric.low:.3f} – {metric.high:.3f}" if metric.low is not None and metric.high is not None else ""
    return [f"{metric.value:.3f}", interval, f"{metric.baseline:.3f}" if metric.baseline is not None else ""]


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Return a Markdown table; what data bring into a cell neither ends it nor begins another."""
    lines = [header, ["---"] * len(header), *rows]
    return ["| " + " | ".join(_cell(str(cell)) for cell in row) + " |" for row in lines]


def _cell(said: str) -> str:
    return " ".join(said.replace("|", "\\|").replace("<", "&lt;").split())
