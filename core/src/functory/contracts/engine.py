"""The contract of engines, and of the sessions that they open.

PyTorch trains and infers; OpenVINO and ONNX Runtime infer, and convert a torch form into their own.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from pydantic import Field

from functory.contracts.component import Component, O, Options, read_options
from functory.contracts.rows import Array, Port, Program, Row, Taught
from functory.errors import NotSupported

if TYPE_CHECKING:
    from functory.contracts.adaptation import Adaptation, TrainingOptions
    from functory.contracts.backbone import Backbone
    from functory.contracts.batching import Told
    from functory.contracts.decoding import Request, Token
    from functory.contracts.formulation import Formulation

Ability = Literal["forward", "generate", "gradients", "training"]
Narrow = Literal["auto", "bf16"]


class SessionOptions(Options):
    """How a program is opened: where, with how many threads, and how batches are made."""

    threads: int = Field(default=0, ge=0, le=1024, description="Threads of one forward pass; 0 takes the machine's cores.")
    device: str = Field(default="cpu", description="Where it runs: cpu, cuda, cuda:1, mps; what the engine knows.")
    budget: int = Field(default=0, ge=0, description="Tokens of one batch; 0 finds the fastest while it works.")
    precision: Narrow = Field(
        default="auto",
        description="In what the network's maps are multiplied: auto is the form's own; bf16 is two to four times as fast where "
        "the processor has instructions for it, and off by about a hundredth.",
    )
    merged: bool = Field(
        default=True,
        description="Whether what an adaptation puts beside the backbone's maps, as LoRA does, is added to copies of them in the "
        "torch form: faster, for the memory of these maps. If not, the backbone's numbers are shared by all functions.",
    )
    remembered: int = Field(
        default=256, ge=0, le=2**20,
        description="Megabytes at most for what texts begin with (system prompts, templates, demonstrations, turns before): a "
        "decoder reads it once, in whatever call it comes again. What was used longest ago goes first; 0 remembers nothing.",
    )  # fmt: skip

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> SessionOptions:
        """Return the options that a caller or a recipe gives by name.

        :raises OptionError: for an unknown one, a wrong type or a value out of range.
        """
        return read_options(cls, given, "the session")


class Session(ABC):
    """One opened program. Safe to call from many threads at once.

    An engine writes `run_batch`; planning, padding and giving each row its own are done here.

    :param program: what was opened.
    :param options: where and how.
    """

    def __init__(self, program: Program, options: SessionOptions) -> None:
        from functory.contracts.batching import Planner

        self.program = program
        self.options = options
        self.planner = Planner(options.budget)

    @abstractmethod
    def run_batch(self, batch: Mapping[str, Array]) -> Mapping[str, Array]:
        """Run one padded batch: arrays of (rows, …) in, named outputs of (rows, …) out.

        :raises NotSupported: by a session that is closed.
        """

    def run(self, rows: Sequence[Row], told: Told | None = None) -> list[Row]:
        """Run any number of rows of any lengths; outputs in the rows' order, padding cut off.

        :param rows: rows that hold the program's inputs.
        :param told: told of each batch when it is done, as its share of all tokens.
        """
        return self.planner.run(rows, self.program, self.run_batch, told)

    def generate(self, requests: Sequence[Request]) -> Iterator[Token]:
        """Write for many requests; give the tokens of all of them as they come, each text's in their order.

        Who closes the iterator leaves off; the session serves others as before.

        :raises NotSupported: by sessions whose engine does not generate.
        """
        raise NotSupported(f"{type(self).__name__} does not generate.", do="open the program with another engine.")

    def submit(self, request: Request) -> Iterator[Token]:
        """Write for one request beside whatever is being written for others, which it joins and leaves between two tokens: from
        any thread, and the same as by itself, whoever else is there. Its index is 0.

        What is wrong with a request is raised to whoever asked it, here or as its tokens come, and to nobody else. Who closes the
        iterator leaves at once. An engine whose batches are closed need not write this: each request is a batch then.

        :raises NotSupported: by sessions whose engine does not generate, and where the session was closed, before or meanwhile.
        """
        return self.generate([request])

    def likelihood(self, requests: Sequence[Request], written: Sequence[Sequence[int]]) -> list[Array]:
        """Return how likely given texts are after prompts: what a generation is known by wherever it runs again.

        An engine that generates gives this too.

        :param requests: the prompts.
        :param written: for each request, tokens that it may have given.
        :return: for each request, the log-probability of each token after all before it and, where there are fewer than
            ``max_new_tokens`` and the request has stop tokens, that of the likeliest of these: float32 (tokens,) or
            (tokens + 1,). Before temperature, penalty and all that narrows the choice.
        :raises NotSupported: by sessions whose engine does not generate.
        """
        raise NotSupported(f"{type(self).__name__} does not generate.", do="open the program with another engine.")

    def close(self) -> None:
        """Free what the session holds. A closed session is not used again."""
        return


@dataclass(frozen=True, slots=True)
class Event:
    """What happens while something runs; trackers observe it, and the bars of a run are drawn from it.

    :param kind: ``start``, ``progress``, ``step``, ``metric``, ``epoch``, ``checkpoint``, ``note``, ``done``. A ``step``
        is one of an optimiser, with its loss; ``progress`` is that of other work: features, folds. A ``checkpoint`` says that
        a run which is broken off goes on from that step; it is told when one was written, and when one was taken up.
    :param step: steps done in this stage: those of the optimiser, rows whose features are computed.
    :param values: numbers by name.
    :param text: for people.
    :param stage: the part of the run that it belongs to: ``features``, ``folds``, ``training``.
    :param total: how many steps the stage has at most; 0 where that is not known.
    """

    kind: Literal["start", "progress", "step", "metric", "epoch", "checkpoint", "note", "done"]
    step: int = 0
    values: Mapping[str, float] = field(default_factory=dict)
    text: str = ""
    stage: str = "training"
    total: int = 0


@dataclass(slots=True)
class Run:
    """One run of training: its place, its seed, and who is told.

    :param folder: checkpoints lie here; a run that finds some goes on from them.
    :param store: where trunk features are kept.
    :param seed: governs everything random in the run.
    :param emit: tells an event to the observers.
    :param options: threads and device to train with.
    :param logs: a folder of the run's own for what observers write, made by the first who does; it outlives the build,
        which removes `folder`.
    :param key: what decides φ; what was learned is kept in `folder` under it until the function is safe. Nothing when empty.
    :param learned: how an earlier build of this run trained, which failed later: φ is in the model, nothing is trained.
    :param among: rows of the build among which this run's are, where it fits to parts of them again and again: what the trunk
        makes of them is computed once, and taken by row. Their gold says nothing.
    """

    folder: Path
    store: Path
    seed: int
    emit: Callable[[Event], None] = lambda event: None
    name: str = "run"
    options: SessionOptions = field(default_factory=SessionOptions)
    logs: Path = Path("runs")
    key: str = ""
    learned: Fit | None = None
    among: Sequence[Row] = ()


@dataclass(slots=True)
class Fit:
    """How training went.

    :param metrics: the last or best figures, by name.
    :param history: one mapping per evaluation.
    :param notes: what a person should know: "stopped early at epoch 2".
    :param adaptation: the adaptation with the options that it settled, which build φ's structure again; None where they
        are the ones that it was given. They stand in the manifest.
    :param precision: in what the passes of its training multiplied: fp32, bf16; it stands in the manifest. Empty where there
        were none.
    """

    metrics: dict[str, float] = field(default_factory=dict)
    history: list[dict[str, float]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    adaptation: Adaptation[Any] | None = None
    precision: str = ""


class TrainingSession(ABC):
    """What an adaptation's `fit` works with: the model, the rows, the trunk's stored features, the loop.

    It is entered for the time of the fit: what an engine must set for it, it sets for this thread and gives back after.
    Within, what the engine's library draws in this thread comes from the run's seed.

    :param model: the adapted model (a functory_sdk.torch.Model).
    :param train: the training rows.
    :param dev: held-out rows, for early stopping and choice; may have none.
    :param run: place, seed, observers.
    """

    def __init__(self, model: Any, train: Taught, dev: Taught | None, run: Run) -> None:
        self.model = model
        self.train = train
        self.dev = dev
        self.run = run

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give back what was set."""
        return

    def stage(self, name: str, model: Any, train: Taught) -> Self:
        """Return a session of the same run on another model and other rows, for an adaptation that fits in several stages: its
        checkpoints lie apart from the others', so that each stage goes on where it was broken off. Used within this one.

        :param name: the stage's, a folder's.
        :param model: one that shares what is trained with this session's.
        """
        return type(self)(model, train, None, replace(self.run, folder=self.run.folder / name))

    @abstractmethod
    def features(self, rows: Sequence[Row]) -> Any:
        """Return what the head reads of rows: one float32 tensor, (rows, width) where its reading's unit is a row, (all tokens,
        width) where it is a token. From the store where the backbone is as it was; else as φ in the crown makes them now.
        """

    @abstractmethod
    def outputs(self, rows: Sequence[Row]) -> list[Row]:
        """Return what the head gives of rows now, each without padding: of what `features` gives, so that nothing that is stored
        is computed again.
        """

    def scores(self) -> dict[str, float]:
        """Return the task's metrics on dev as φ is now, each name with ``dev_`` before it; none where dev has no rows."""
        dev = self.dev
        if dev is None or not dev.rows or dev.score is None:
            return {}
        return {f"dev_{name}": value for name, value in dev.score(self.outputs(dev.rows)).items()}

    @abstractmethod
    def loop(self, options: TrainingOptions) -> Fit:
        """Train the crown and the head by the engine's loop, with exact resume and sentinels."""


class Engine(Component[O]):
    """Runs programs."""

    kind: ClassVar[str] = "engines"
    abilities: ClassVar[frozenset[Ability]] = frozenset({"forward"})
    precisions: ClassVar[tuple[str, ...]] = ("fp32",)
    """The forms that `convert` can write; an engine that trains writes none."""
    session_precisions: ClassVar[tuple[str, ...]] = ("auto",)
    """In what its sessions can multiply, whatever the form: those of `SessionOptions.precision` that it knows."""

    @abstractmethod
    def open(self, program: Program, options: SessionOptions) -> Session:
        """Open a program.

        :raises NotSupported: when the engine does not run such programs, or the device is not there.
        """

    def check_precision(self, options: SessionOptions) -> None:
        """Refuse what its sessions cannot multiply in; asked before a program is opened, so that nothing is passed over.

        :raises NotSupported: naming the engine, and what it knows.
        """
        if options.precision not in self.session_precisions:
            raise NotSupported(
                f"engine {self.name!r} has no sessions in {options.precision!r}.",
                do=f"leave precision out; it knows: {', '.join(self.session_precisions)}.",
            )

    def convert(self, program: Program, folder: Path, *, precision: str, samples: Sequence[Row] = ()) -> Program:
        """Write the engine's own form of a torch program into `folder`.

        :param program: with its `model`.
        :param precision: one of `precisions`.
        :param samples: rows to calibrate on, for forms that need them.
        :return: the program as it became, with its folder.
        :raises NotSupported: by engines without a form of their own, and for a precision or a program that they do not know.
        """
        raise NotSupported(f"engine {self.name!r} has no form of its own.", do="choose another engine.")

    def adapt(
        self, backbone: Backbone[Any], formulation: Formulation, state: Any, adaptation: Adaptation[Any], seed: int = 0
    ) -> Any:
        """Return a model with φ attached: a structural copy of the backbone, the injections, the head.

        First values come from the seed, in whatever thread and beside whatever other build. The process's own generators
        are the user's: they are neither seeded nor drawn from.

        :param seed: what decides the first values of φ and the head.
        :raises NotSupported: by engines that do not train.
        """
        raise NotSupported(f"engine {self.name!r} does not train.", do="use the engine 'torch'.")

    def takes(self, model: Any) -> bool:
        """Return whether something is a model as `adapt` gives it: a hook plugin may have answered in its place."""
        return model is not None

    def session(self, model: Any, train: Taught, dev: Taught | None, run: Run) -> TrainingSession:
        """Open a training session on a model from `adapt`.

        :raises NotSupported: by engines that do not train.
        """
        raise NotSupported(f"engine {self.name!r} does not train.", do="use the engine 'torch'.")

    def phi(self, model: Any) -> dict[str, Array]:
        """Return φ as named arrays, to be stored.

        :raises NotSupported: by engines that do not train.
        """
        raise NotSupported(f"engine {self.name!r} does not train.", do="use the engine 'torch'.")

    def load_phi(self, model: Any, phi: Mapping[str, Array]) -> None:
        """Put stored φ into a model from `adapt`.

        :raises ArtefactCorrupt: when names or shapes are not the model's.
        :raises NotSupported: by engines that do not train.
        """
        raise NotSupported(f"engine {self.name!r} does not train.", do="use the engine 'torch'.")


__all__ = [
    "Ability", "Engine", "Event", "Fit", "Port", "Run", "Session", "SessionOptions", "TrainingSession",
]  # fmt: skip
