"""Components that are each wrong in one way: what the conformance suites must find. Not a plugin."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np
from pydantic import ConfigDict, Field

from functory_sdk import (
    Adaptation,
    Command,
    Engine,
    Explanation,
    Fit,
    NoOptions,
    Optimization,
    Options,
    Packager,
    Port,
    Sample,
    State,
    TrainingOptions,
    WeightsMissing,
    attribution,
    entries,
    hookimpl,
    load,
)  # fmt: skip
from functory_sdk.testing import TinyDecoder, TinyEncoder, ToyTask
from functory_sdk.testing.toy import ToyAdaptation, ToyLabel

counter = itertools.count(1)

# -- what every component owes ----------------------------------------------------------------------------


class Undocumented(ToyAdaptation):
    __doc__ = None


class Renamed(ToyAdaptation):
    """Calls itself something else."""

    examples: ClassVar[tuple[str, ...]] = ("just try it",)


class Vague(ToyAdaptation):
    """Has a source that nobody finds."""

    paper: ClassVar[str] = "some paper"


class BareField(Options):
    """Options."""

    rank: int = 8


class Undescribed(Adaptation[BareField]):
    """Has an option without a word."""


class Demanding(Options):
    """Options."""

    rank: int = Field(description="Must be given.")


class Undefaulted(Adaptation[Demanding]):
    """Cannot be made without options."""


class Lossy(Options):
    """Options."""

    words: Any = Field((1, 2), description="A tuple that JSON makes a list.")


class Forgetful(Adaptation[Lossy]):
    """Has options that JSON changes."""


class Loose(Options):
    """Options."""

    model_config = ConfigDict(extra="allow")


class Tolerant(Adaptation[Loose]):
    """Takes any option."""


# -- adaptations ------------------------------------------------------------------------------------------


class Attaching(Adaptation[TrainingOptions]):
    """Trains the norms' biases in place of a list of layers, as the broken ones below vary it."""

    def cut(self, spec: Any) -> int | None:
        return 1

    def attach(self, network: Any) -> None:
        import torch

        for layer in layers(network):
            inject(layer, torch.nn.Parameter(0.1 * torch.randn(network.spec.width)))

    def fit(self, session: Any) -> Fit:
        return descend(session)


def layers(network: Any) -> Any:
    return network.layers if hasattr(network, "layers") else network.model.layers


def inject(layer: Any, parameter: Any) -> None:
    """Add a vector to a layer's output."""
    layer.register_parameter("added", parameter)

    def add(module: Any, inputs: Any, output: Any) -> Any:
        hidden = output[0] if isinstance(output, tuple) else output
        return hidden + module.added

    layer.register_forward_hook(add)


def descend(session: Any, steps: int = 8) -> Fit:
    """Full-batch steps on the task's loss."""
    import torch

    from functory_sdk import pad

    model, rows = session.model, session.train.rows
    ports = [*model.inputs, Port("gold", "int64")]
    batch = {name: torch.from_numpy(array) for name, array in pad(rows, ports).items()}
    solver = torch.optim.Adam(model.phi().values(), lr=5e-3)
    for _ in range(steps):
        solver.zero_grad()
        total, count = model.head.loss(model(batch), batch)
        (total / count).backward()
        solver.step()
    solver.zero_grad()
    return Fit()


class Incomplete(Attaching):
    """Trains something and freezes it again, so that φ lacks it."""

    def fit(self, session: Any) -> Fit:
        fit = descend(session)
        for layer in layers(session.model.network):
            layer.added.requires_grad_(False)
        return fit


class Enormous(Attaching):
    """Says that φ is small, and is not."""

    def attach(self, network: Any) -> None:
        import torch

        for layer in layers(network):
            inject(layer, torch.nn.Parameter(torch.zeros(1000, network.spec.width)[:, None]))


class Unseeded(Attaching):
    """Draws from the clock."""

    def fit(self, session: Any) -> Fit:
        import torch

        with torch.no_grad():
            layers(session.model.network)[0].added.add_(0.01 * next(counter))
        return descend(session)


class Unreached(Attaching):
    """Holds a parameter that no gradient reaches."""

    def attach(self, network: Any) -> None:
        import torch

        super().attach(network)
        network.register_parameter("idle", torch.nn.Parameter(torch.zeros(3)))


class Sharing(Attaching):
    """Writes into the tensors that the backbone shares."""

    def fit(self, session: Any) -> Fit:
        import torch

        with torch.no_grad():
            next(session.model.network.parameters()).mul_(1.01)
        return descend(session)


class Untruthful(Attaching):
    """Says that its crown begins at the head, and touches every layer."""

    def cut(self, spec: Any) -> int:
        return int(spec.points)


class Mixing(Attaching):
    """Lets the padding of a batch reach the outputs."""

    def attach(self, network: Any) -> None:
        import torch

        for layer in layers(network):
            layer.register_parameter("added", torch.nn.Parameter(torch.ones(network.spec.width)))

            def add(module: Any, inputs: Any, output: Any) -> Any:
                hidden = output[0] if isinstance(output, tuple) else output
                return hidden + module.added * hidden.mean(1, keepdim=True)

            layer.register_forward_hook(add)


class Idle(Attaching):
    """Fits nothing."""

    def fit(self, session: Any) -> Fit:
        return Fit()


# -- backbones --------------------------------------------------------------------------------------------


class Lost(TinyEncoder):
    """Has no weights and does not say how to get them."""

    def locate(self) -> Path:
        raise WeightsMissing("no weights.")


class HeavyFacts(TinyEncoder):
    """Asks torch for its facts."""

    def read_spec(self) -> Any:
        import torch

        return super().read_spec().model_copy(update={"revision": torch.__version__})


class Changing(TinyEncoder):
    """Gives other facts each time."""

    def read_spec(self) -> Any:
        return super().read_spec().model_copy(update={"revision": str(next(counter))})


class Overstated(TinyEncoder):
    """Says it is wider than it is."""

    def read_spec(self) -> Any:
        return super().read_spec().model_copy(update={"vocabulary": 20})

    def load_network(self) -> Any:
        network = TinyEncoder(self.options).network
        network.spec = self.spec
        return network


class Tokens(TinyEncoder):
    """A backbone whose tokenizer is wrapped."""

    wrong: ClassVar[Any] = None

    def read_tokenizer(self) -> Any:
        from functory_sdk import Tokenizer

        wrapped = type("Wrapped", (Tokenizer,), {"tokens": type(self).wrong})
        return wrapped(super().read_tokenizer().json)


def shifted(self: Any, texts: Sequence[str], **how: Any) -> Any:
    return [replace(one, offsets=one.offsets + 1) for one in self.__class__.__base__.tokens(self, texts, **how)]


def drifting(self: Any, texts: Sequence[str], **how: Any) -> Any:
    moved = next(counter) % 2
    return [replace(one, ids=one.ids + moved) for one in self.__class__.__base__.tokens(self, texts, **how)]


def special(self: Any, texts: Sequence[str], **how: Any) -> Any:
    return self.__class__.__base__.tokens(self, texts, reads_special=True)


class Shifted(Tokens):
    """Gives offsets that are off by one."""

    wrong: ClassVar = shifted


class Drifting(Tokens):
    """Gives other tokens each time."""

    wrong: ClassVar = drifting


class Spelled(Tokens):
    """Reads special tokens out of a user's text."""

    wrong: ClassVar = special


class Unfrozen(TinyEncoder):
    """Leaves its network trainable."""

    @property
    def network(self) -> Any:
        return self.load_network()


class Network(TinyEncoder):
    """A backbone whose network does one thing wrong."""

    def load_network(self) -> Any:
        network = super().load_network()
        network.__class__ = type("Wrong", (type(network),), self.wrong())
        return network

    def wrong(self) -> dict[str, Any]:
        return {}


class Uncuttable(Network):
    """Needs something from an earlier step that is not in the state."""

    def wrong(self) -> dict[str, Any]:
        def step(self: Any, index: int, state: Any, context: Any) -> Any:
            out = type(self).__base__.step(self, index, state, context)
            return {**out, "first": out["hidden"]} if index == 0 else {
                "hidden": out["hidden"] + state.get("first", 0), "first": state.get("first", 0)
            }  # fmt: skip

        return {"step": step}


class Unmasked(Network):
    """Attends to padding."""

    def wrong(self) -> dict[str, Any]:
        def prepare(self: Any, batch: Any) -> Any:
            return {**type(self).__base__.prepare(self, batch), "mask": None}

        return {"prepare": prepare}


class Stateful(Network):
    """Keeps a pass's ids on the network."""

    def wrong(self) -> dict[str, Any]:
        def prepare(self: Any, batch: Any) -> Any:
            self.__dict__["ids"] = batch["input_ids"]
            time.sleep(0.003)
            return {**type(self).__base__.prepare(self, batch), "ids": self.__dict__["ids"]}

        return {"prepare": prepare}


class Misplaced(TinyDecoder):
    """Writes as if prompts were not padded."""

    def load_network(self) -> Any:
        import torch

        network = super().load_network()

        def generation(self: Any, ids: Any, mask: Any) -> Any:
            return type(self).__base__.generation(self, ids, torch.ones_like(mask))

        network.__class__ = type("Wrong", (type(network),), {"generation": generation})
        return network


# -- tasks ------------------------------------------------------------------------------------------------


class Strange(ToyTask):
    """Names a field that its Input has not."""

    shorthand: ClassVar[tuple[str, ...]] = ("words",)


class Silent(ToyLabel):
    """An output with an undescribed field."""

    extra: str = ""


class Undescribing(ToyTask):
    """Has a field without a description."""

    Output: ClassVar = Silent


class Unfitting(ToyTask):
    """Announces labels that it does not give."""

    def output_schema(self, state: Any) -> dict[str, Any]:
        schema = super().output_schema(state)
        schema["properties"]["label"]["enum"] = ["perhaps"]
        return schema


class Counting(State):
    """A state that is new each time."""

    labels: tuple[str, ...] = ()
    turn: int = 0


class Fickle(ToyTask):
    """Learns something else each time."""

    State: ClassVar = Counting

    def learn(self, examples: Any) -> Any:
        return Counting(labels=("no", "yes"), turn=next(counter))


class Picky(ToyTask):
    """Refuses its own examples."""

    def check(self, example: Any, state: Any) -> None:
        raise ValueError("no")


class Untupled(ToyTask):
    """Gives a text where a tuple of them is wanted: each letter would be a label."""

    def strata(self, example: Any) -> Any:
        return example.label


class Ownerless(ToyTask):
    """Mixes up whose row is whose."""

    def encode(self, inputs: Any, reader: Any, state: Any) -> Any:
        encoded = super().encode(inputs, reader, state)
        encoded.owner.reverse()
        return encoded


class Portless(ToyTask):
    """Gives rows that lack what the program reads."""

    def encode(self, inputs: Any, reader: Any, state: Any) -> Any:
        encoded = super().encode(inputs, reader, state)
        for row in encoded.rows:
            row["attention_mask"] = row["attention_mask"][:1]
        return encoded


class Gregarious(ToyTask):
    """Lets inputs reach each other's rows."""

    def encode(self, inputs: Any, reader: Any, state: Any) -> Any:
        encoded = super().encode(inputs, reader, state)
        for row in encoded.rows:
            row["input_ids"] = row["input_ids"] + (len(inputs) > 1)
        return encoded


class Unruly(ToyTask):
    """Cuts long texts and never refuses one."""

    def encode(self, inputs: Any, reader: Any, state: Any) -> Any:
        reader.long_text = "window"
        return super().encode(inputs, reader, state)


class Brittle(ToyTask):
    """Falls over an empty text."""

    def encode(self, inputs: Any, reader: Any, state: Any) -> Any:
        encoded = super().encode(inputs, reader, state)
        encoded.side = [value.text for value in inputs]
        return encoded

    def decode(self, side: Any, outputs: Any, state: Any) -> Any:
        side.strip()[0]
        return super().decode((), outputs, state)


class Goldless(ToyTask):
    """Has nothing to replay."""

    def golden_inputs(self, state: Any) -> Any:
        return []


class Batchy(ToyTask):
    """Has a head that looks at the other rows."""

    head: ClassVar[str] = "broken_heads:BatchyHead"


class Racing(ToyTask):
    """Keeps the input on itself."""

    def encode(self, inputs: Any, reader: Any, state: Any) -> Any:
        self.last = super().encode(inputs, reader, state)
        time.sleep(0.003)
        return self.last


class Aimless(ToyTask):
    """Points at a place that no output has."""

    def targets(self, output: Any, side: Any, state: Any) -> Any:
        return [target.model_copy(update={"index": (7,)}) for target in super().targets(output, side, state)]


class Mislabelling(ToyTask):
    """Gives labels of another type than its port."""

    def label(self, examples: Any, encoded: Any, state: Any) -> Any:
        return [{"gold": np.asarray([0.5, 0.5], dtype=np.float32)} for _ in encoded.owner]


class Tagging(ToyTask):
    """Labels every token, special ones too."""

    head: ClassVar[str] = "broken_heads:TagHead"

    def gold_ports(self, spec: Any, state: Any) -> Any:
        return (Port("tags", "int64", ("tokens",), -100),)

    def label(self, examples: Any, encoded: Any, state: Any) -> Any:
        return [{"tags": np.zeros(len(row["input_ids"]), dtype=np.int64)} for row in encoded.rows]


class Padded(Tagging):
    """Trains on padding."""

    head: ClassVar[str] = "broken_heads:PaddedHead"


class Headless(ToyTask):
    """Has a head that gives another output than it declares."""

    def outputs(self, spec: Any, state: Any) -> Any:
        return (Port("scores", "float32", (5,)),)


class Untuned(ToyTask):
    """Tunes itself into nothing."""

    def tune(self, outputs: Any, examples: Any, state: Any) -> Any:
        return None


class Unfair(ToyTask):
    """Scores wrong answers above right ones."""

    def scorer(self, outputs: Any, examples: Any, state: Any) -> Any:
        score = super().scorer(outputs, examples, state)
        return lambda indices: {"accuracy": 1 - score(indices)["accuracy"]}


class Opaque(ToyTask):
    """Breaks its results down into what JSON cannot hold."""

    def breakdown(self, outputs: Any, examples: Any, state: Any) -> Mapping[str, Any]:
        return {"per_class": [{"support": np.int64(3)}]}


# -- engines ----------------------------------------------------------------------------------------------

Torch: Any = load("engines", "torch") if any(one.name == "torch" for one in entries("engines")) else Engine


class Wrapping(Torch):
    """The torch engine with one method of its sessions replaced."""

    def wrong(self) -> dict[str, Any]:
        return {}

    def open(self, program: Any, options: Any) -> Any:
        session = super().open(program, options)
        session.__class__ = type("Wrong", (type(session),), self.wrong())
        return session


def base(session: Any) -> Any:
    return type(session).__base__


class OffByALittle(Wrapping):
    """Computes a little wrongly."""

    def wrong(self) -> dict[str, Any]:
        return {"run_batch": lambda s, b: {name: v + np.float32(0.01) for name, v in base(s).run_batch(s, b).items()}}


class Averaging(Wrapping):
    """Mixes the rows of a batch."""

    def wrong(self) -> dict[str, Any]:
        return {"run_batch": lambda s, b: {name: v - v.mean(0) for name, v in base(s).run_batch(s, b).items()}}


class OneRequest(Wrapping):
    """Has one request object for all threads."""

    def wrong(self) -> dict[str, Any]:
        def run_batch(session: Any, batch: Any) -> Any:
            session.batch = batch
            time.sleep(0.003)
            return base(session).run_batch(session, session.batch)

        return {"run_batch": run_batch}


class Doubling(Wrapping):
    """Gives other types than the ports."""

    def wrong(self) -> dict[str, Any]:
        return {"run_batch": lambda s, b: {k: v.astype(np.float64) for k, v in base(s).run_batch(s, b).items()}}


class ClosingAll(Wrapping):
    """Ends every session with one."""

    def wrong(self) -> dict[str, Any]:
        def close(session: Any) -> None:
            session.program.model.closed = True

        def run_batch(session: Any, batch: Any) -> Any:
            if getattr(session.program.model, "closed", False):
                raise RuntimeError("closed")
            return base(session).run_batch(session, batch)

        return {"close": close, "run_batch": run_batch}


class AnyDevice(Torch):
    """Runs on the processor whatever was asked."""

    def open(self, program: Any, options: Any) -> Any:
        return super().open(program, options.model_copy(update={"device": "cpu"}))


class Converting(Torch):
    """Keeps what it converts in memory, under the folder's name."""

    abilities: ClassVar = frozenset({"forward"})
    precisions: ClassVar = ("fp32",)
    kept: ClassVar[dict[str, Any]] = {}

    def convert(self, program: Any, folder: Path, *, precision: str, samples: Any = ()) -> Any:
        (folder / "graph").write_text("")
        self.kept[str(folder)] = program.model
        return replace(program.at(folder), precision=precision)

    def open(self, program: Any, options: Any) -> Any:
        return super().open(replace(program, model=self.kept.get(str(program.folder))), options)

    def adapt(self, *args: Any) -> Any:
        return SimpleNamespace()


class TorchBound(Converting):
    """Opens its own form with torch."""

    def open(self, program: Any, options: Any) -> Any:
        import torch

        from functory_sdk import Session

        def run_batch(session: Any, batch: Any) -> Any:
            return {port.name: np.zeros((len(batch["input_ids"]), *port.axes), np.float32) for port in program.outputs}

        del torch
        return type("Zeros", (Session,), {"run_batch": run_batch})(program, options)


class Crowded(Wrapping):
    """Writes what the batch's size says."""

    def wrong(self) -> dict[str, Any]:
        def generate(session: Any, requests: Any) -> Iterator[tuple[int, int]]:
            for index, token in base(session).generate(session, requests):
                yield index, token + len(requests)

        return {"generate": generate}


class Unstoppable(Wrapping):
    """Writes on where it should stop."""

    def wrong(self) -> dict[str, Any]:
        def generate(session: Any, requests: Any) -> Any:
            return base(session).generate(session, [replace(one, stop_ids=frozenset()) for one in requests])

        return {"generate": generate}


class Neighbouring(Wrapping):
    """Gives each token the log-probability of its neighbour."""

    def wrong(self) -> dict[str, Any]:
        def likelihood(session: Any, requests: Any, written: Any) -> Any:
            return [np.roll(one, 1) for one in base(session).likelihood(session, requests, written)]

        return {"likelihood": likelihood}


class Secretive(Wrapping):
    """Generates without saying so."""

    abilities: ClassVar = frozenset({"forward", "training", "gradients"})

    def wrong(self) -> dict[str, Any]:
        return {"generate": lambda session, requests: iter(())}


class Deaf(Torch):
    """Does not take φ back."""

    def load_phi(self, model: Any, phi: Any) -> None:
        return


class Unseedable(Torch):
    """Draws what it likes."""

    def seed(self, seed: int) -> None:
        super().seed(next(counter))


class Resting(Torch):
    """Has a loop that does nothing."""

    def session(self, *args: Any) -> Any:
        session = super().session(*args)
        session.loop = lambda options: Fit()
        return session


class Restarting(Torch):
    """Stops for good where it was interrupted."""

    def session(self, *args: Any) -> Any:
        session = super().session(*args)
        whole = session.loop

        def loop(options: Any) -> Any:
            mark = session.run.folder / "begun"
            if mark.exists():
                return Fit()
            session.run.folder.mkdir(parents=True, exist_ok=True)
            mark.touch()
            return whole(options)

        session.loop = loop
        return session


# -- explanations, optimizations, packagers, samples, commands, hooks ------------------------------------


class Explaining(Explanation[NoOptions]):
    """Gives every word the same weight."""

    def weights(self, count: int) -> list[float]:
        return [1.0] * count

    def explain(self, function: Any, value: Any, target: Any) -> Any:
        return attribution(function, value, target, self.name, lambda words: self.weights(len(words)))


class Truncating(Explaining):
    """Leaves the last word out."""

    def explain(self, function: Any, value: Any, target: Any) -> Any:
        found = super().explain(function, value, target)
        return found.model_copy(update={"pieces": found.pieces[:-1]})


class Guessing(Explaining):
    """Draws its weights."""

    def weights(self, count: int) -> list[float]:
        return [float(next(counter)) for _ in range(count)]


class Meddling(Explaining):
    """Changes the function that it explains."""

    def explain(self, function: Any, value: Any, target: Any) -> Any:
        import torch

        found = super().explain(function, value, target)
        with torch.no_grad():
            function.form.program.model.head.linear.bias.add_(torch.tensor([0.01, -0.01]))
        return found


class Nameless(Explaining):
    """Does not say which method it is."""

    def explain(self, function: Any, value: Any, target: Any) -> Any:
        return super().explain(function, value, target).model_copy(update={"method": ""})


class Boasting(Explaining):
    """Invents its faithfulness."""

    def explain(self, function: Any, value: Any, target: Any) -> Any:
        found = super().explain(function, value, target)
        sure = found.faithfulness.model_copy(update={"comprehensiveness": 1.0, "sufficiency": 0.0})
        return found.model_copy(update={"faithfulness": sure})


class Scripted(Explaining):
    """Shows itself with a script from elsewhere."""

    def explain(self, function: Any, value: Any, target: Any) -> Any:
        found = super().explain(function, value, target)
        page = type("Page", (type(found),), {"html": lambda self: "<script src='http://example.org'></script>"})
        return page.model_validate(found.model_dump())


class GainOptions(Options):
    """Options."""

    max_drop: float = Field(0.01, description="The limit.")
    min_gain: float = Field(1.0, description="What must be gained.")


class Optimizing(Optimization[GainOptions]):
    """Keeps a form that lost too much."""

    def optimize(self, function: Any, examples: Any, calibration: Any) -> Any:
        from functory_sdk import FormReport, OptimizationReport

        def form(name: str, metric: float) -> Any:
            return FormReport(form=name, metric=metric, latency_ms=1, throughput=1, size_mb=1, memory_mb=1, threads=1)

        report = OptimizationReport(
            optimization=self.name, metric="accuracy", before=form(function.form.name, 0.9),
            tried=(form("worse", 0.5),), kept="worse", reason="because",
        )  # fmt: skip
        return function, report


class Ruining(Optimizing):
    """Changes the function that it was given."""

    def optimize(self, function: Any, examples: Any, calibration: Any) -> Any:
        import torch

        with torch.no_grad():
            function.form.program.model.head.linear.bias.add_(torch.tensor([0.01, -0.01]))
        return super().optimize(function, examples, calibration)


class Dated(Packager[NoOptions]):
    """Writes something else each time, and more than it says."""

    def package(self, artefact: Path, name: str, target: Path) -> list[Path]:
        target.mkdir(parents=True, exist_ok=True)
        (target / "left-behind").touch()
        (target / name).write_text(str(next(counter)))
        return [target / name]


class Unlicensed(Sample[NoOptions]):
    """Has no licence, and other rows each time."""

    licence: ClassVar[str] = ""
    columns: ClassVar[Mapping[str, str]] = {"text": "a text"}

    def locate(self) -> Path:
        return Path(__file__)

    def rows(self) -> Iterator[dict[str, Any]]:
        yield {"text": str(next(counter))}


class Empty(Unlicensed):
    """Has no rows."""

    def rows(self) -> Iterator[dict[str, Any]]:
        return iter(())


class Shouting(Command):
    """Prints its results beside its JSON."""

    help = ""
    example = "shout"

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--no-such-option", action="store_true", help="taken, whatever it is")

    def run(self, args: Any) -> int:
        print("done!")
        return 0


class Mute(Shouting):
    """Cannot print its help."""

    def add_arguments(self, parser: Any) -> None:
        parser.print_help = parser.format_help = lambda *a: ""


class Stepless:
    """Implements no step."""


class Falsifying:
    """Improves every report."""

    @hookimpl(wrapper=True)
    def evaluate(self, function: Any, examples: Any) -> Any:
        report = yield
        better = {name: metric.model_copy(update={"value": 1.0}) for name, metric in report.metrics.items()}
        return report.model_copy(update={"metrics": better})
