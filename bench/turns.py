"""A dialogue of ten turns, with what each turn wrote known to the next one and without: ``python bench/turns.py``.

Equal turns are asked either way, of the torch form and of OpenVINO's in fp32, interleaved, and the same texts come out. Told is
how long each turn waits for its first token, and how long it takes.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from measure import build, keep, median

from functory_sdk.testing import converted

ASKED = (
    "Good morning! I want to learn how to cook.", "What should I buy first?", "How do I boil an egg?", "And a soup?",
    "Which vegetables do you like in it?", "How long does it take?", "What goes with it?", "Is bread hard to bake?",
    "What was the first thing that you told me to buy?", "Thank you. What shall I try tomorrow?",
)  # fmt: skip


@contextmanager
def forgetting(is_so: bool) -> Iterator[None]:
    """Have sessions that are opened meanwhile keep nothing of what is written."""
    from functory_openvino.writing import WritingSession
    from functory_torch.branches import Branches

    whole = WritingSession._keep

    def forget(self: Any, member: Any, read: int) -> None:
        self._keeps_written = False
        whole(self, member, read)

    if not is_so:
        yield
        return
    with patch.object(Branches, "is_remembering", False), patch.object(WritingSession, "_keep", forget):
        yield


def conversation(form: Any) -> tuple[list[str], float, float]:
    """Return all turns, the seconds until the first tokens of the answers, and those of the whole."""
    turns, waited, started = list[str](), 0.0, time.perf_counter()
    for asked in ASKED:
        turns.append(asked)
        asked_at = time.perf_counter()
        pieces = form.stream(turns)
        first = next(iter(pieces))
        waited += time.perf_counter() - asked_at
        turns.append(first + "".join(pieces))
    return turns, waited, time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--tokens", type=int, default=48)
    args = parser.parse_args()
    chat = build(task={"name": "dialogue", "max_new_tokens": args.tokens}, backbone="smollm2")
    found = []
    with tempfile.TemporaryDirectory() as place:
        forms = {"torch": chat, "openvino fp32": converted(chat, Path(place) / "form", engine="openvino", precision="fp32")}
        for name, form in forms.items():
            seconds: dict[bool, list[tuple[float, float]]] = {True: [], False: []}
            texts = list[list[str]]()
            for number in range(args.rounds + 1):
                for is_so in (False, True):
                    with forgetting(is_so):
                        fresh = form.opened()
                        turns, *times = conversation(fresh)
                        fresh.close()
                    texts.append(turns)
                    if number:
                        seconds[is_so].append((times[0], times[1]))
            waited, whole = (
                {is_so: median([one[place] for one in some]) for is_so, some in seconds.items()} for place in (0, 1)
            )
            found.append({
                "form": name, "first tokens, times as fast": waited[True] / waited[False],
                "whole, times as fast": whole[True] / whole[False],
                "share of first tokens": waited[False] / whole[False],
                "the same texts": all(one == texts[0] for one in texts),
            })  # fmt: skip
    told = f"ten turns of {args.tokens} tokens at most, SmolLM2-135M: what was written kept for the next one, beside not"
    keep("turns", found, told)


if __name__ == "__main__":
    main()
