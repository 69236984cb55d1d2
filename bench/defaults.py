"""The default call beside the lexical floor and each adaptation named by hand: ``python bench/defaults.py``, some sets by name.

Ten sets of texts and labels, 2,000 rows at most. Goals: nowhere below the floor, and nowhere below the best adaptation named by
hand by more than the interval of the paired bootstrap. An adaptation that was chosen, or tried with all of train, is not fitted
again: the same recipe gives the same function. What was broken off goes on where it stopped, and its row has no seconds. Rows
that are kept are not measured again, but with ``--again``; another call than the default one is looked at with
``--call '{"name": "auto", "refit": true}'``, and nothing of that is kept. Looks for the data in the folder that DATA_SETS names.
"""

from __future__ import annotations

import argparse
import json
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from cells.answers import PLACE
from cells.data import NotHere, Rows, only, rows
from cells.scores import accuracy, difference, interval
from measure import RESULTS, build, keep, machine

import functory

SETS = {
    "sst2": ("minilm", "dev", "label"),
    "sms_spam": ("minilm", "test", "label"),
    "trec_questions": ("minilm", "test", "label"),
    "banking77": ("minilm", "test", "label"),
    "ag_news": ("minilm", "test", "label"),
    "clinc150": ("minilm", "test", "label"),
    "financial_phrasebank": ("minilm", "test", "label"),
    "chnsenticorp_hotel": ("e5", "test", "label"),
    "tnews": ("e5", "dev", "label"),
    "csl_category": ("e5", "test", "label"),
}
"""Each set's backbone, the side that is answered, and the column of the labels."""
BY_HAND = ("head", "lexical", "lora")
FILE = RESULTS / "defaults.json"
TEST = 1000
SHOWN = ("accuracy", "macro_f1")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="*", help="which; all when none is named")
    parser.add_argument("--rows", type=int, default=2000, help="training rows at most")
    parser.add_argument("--again", action="store_true", help="measure rows that are kept, too")
    parser.add_argument("--call", type=json.loads, help="an adaptation, as JSON, that is measured in place of the default one")
    parser.add_argument("--by-hand", nargs="*", default=BY_HAND, help="the adaptations that are named by hand")
    args = parser.parse_args()
    if unknown := sorted({*args.sets} - {*SETS}):
        parser.error(f"there is no set {unknown[0]!r}. do: choose among {', '.join(SETS)}")
    if args.call:
        for name in args.sets or SETS:
            print(called(name, args.rows, args.call), flush=True)
        return
    kept = {row["set"]: row for row in json.loads(FILE.read_text(encoding="utf-8"))["rows"]} if FILE.exists() else {}
    for name in args.sets or SETS:
        if name in kept and not args.again:
            continue
        try:
            kept[name] = measured(name, args.rows, args.by_hand)
        except NotHere as error:
            print(f"skipped: {error}", flush=True)
            continue
        keep("defaults", list(kept.values()), told(list(kept.values())))


def called(name: str, limit: int, adaptation: Any) -> str:
    """Return how another call than the default one does on a set, in a line."""
    train, test, backbone = sides(name, limit)
    fn, _, seconds = built(train, test, backbone, adaptation=adaptation)
    metrics = fn.evaluate(test).metrics
    told = "  ".join(f"{one} {metrics[one].value:.3f} ({metrics[one].low:.3f}–{metrics[one].high:.3f})" for one in SHOWN)
    return f"{name}: {told}  {seconds:.0f} s  {fn.form.adaptation.name}"


def sides(name: str, limit: int) -> tuple[Rows, Rows, str]:
    """Return a set's rows to learn from and to answer, and its backbone.

    :raises NotHere: where it is not on this machine.
    """
    backbone, side, gold = SETS[name]
    train, test = (only(rows(name, part, most), "text", label=gold) for part, most in (("train", limit), (side, TEST)))
    return train, test, backbone


def measured(name: str, limit: int, by_hand: Sequence[str]) -> dict[str, Any]:
    """Return a set's row.

    :param by_hand: the adaptations beside which the default is held.
    :raises NotHere: where it is not on this machine.
    """
    train, test, backbone = sides(name, limit)
    right = [row["label"] for row in test]
    place = PLACE / "defaults" / name
    goes_on = place.is_dir()
    fn, found, seconds = built(train, test, backbone, run=place)
    chosen, everything = fn.form.adaptation.name, np.arange(len(test))
    own = accuracy(found, right)
    low, high = interval(own, len(test))
    row: dict[str, Any] = {
        "set": name, "train": len(train), "test": len(test), "floor": fn.evaluate(test).metrics["accuracy"].floor,
        "ours": own(everything), "low": low, "high": high, "seconds": None if goes_on else seconds, "chosen": chosen,
        "machine": machine(),
    }  # fmt: skip
    singles = {chosen: own}
    for adaptation in by_hand:
        if adaptation != chosen:
            recipe, before = tried(fn, adaptation, place)
            _, answers, seconds = built(train, test, backbone, **recipe)
            row[f"{adaptation}_seconds"] = before or seconds
            singles[adaptation] = accuracy(answers, right)
        row[adaptation] = singles[adaptation](everything)
    best = max(singles, key=lambda one: singles[one](everything))
    less, low, high = difference(own, singles[best], len(test))
    shutil.rmtree(place, ignore_errors=True)
    row |= {"best": best, "less_best": less, "less_best_low": low, "less_best_high": high}
    return {**row, "verdict": verdict(row)}


def tried(fn: functory.Function, adaptation: str, place: Path) -> tuple[dict[str, Any], float]:
    """Return the recipe of an adaptation named by hand, and the seconds that its fit took in the choice of a function; 0 where
    it was not fitted there to all of train.

    :param place: the folder of the choice's run, in which what it fitted is taken up.
    """
    for number, trial in enumerate(fn.about.tried):
        if trial.adaptation == adaptation and trial.score is not None and not trial.folds:
            fitted = place / f"{number + 1}-{adaptation}"
            return {"adaptation": {"name": adaptation, **trial.options}, "run": fitted}, trial.seconds
    return {"adaptation": adaptation}, 0.0


def built(train: Rows, test: Rows, backbone: str, **recipe: Any) -> tuple[functory.Function, list[str], float]:
    """Return a function, its answers and the seconds that it took to be built."""
    started = time.perf_counter()
    fn = build(task="text-classification", train=train, backbone=backbone, test_share=0.0, **recipe)
    seconds = time.perf_counter() - started
    return fn, [output.label for output in fn.map([row["text"] for row in test])], seconds


def verdict(row: dict[str, Any]) -> str:
    """Say whether the default is below the floor, or clearly below the best by hand."""
    below = ["below the floor"] if row["floor"] is not None and row["ours"] < row["floor"] else []
    below += [f"below {row['best']} beyond the interval"] if row["less_best_high"] < 0 else []
    return " and ".join(below) or "holds"


def told(kept: list[dict[str, Any]]) -> str:
    """Return the goals, and how many rows reach them."""
    return f"{sum(row['verdict'] == 'holds' for row in kept)} of {len(kept)} rows hold."


if __name__ == "__main__":
    main()
