"""What an engine owes: every ability that it declares, honoured; every one that it does not, refused with a reason."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, ClassVar, get_args

import numpy as np
import pytest

from functory.contracts.adaptation import TrainingOptions
from functory.contracts.engine import Ability, Event, Run, SessionOptions
from functory.contracts.rows import Array, Program, Request, Row
from functory.errors import ArtefactCorrupt, FunctoryError, NotSupported
from functory_sdk.testing.adaptations import Fitted, loss_of, perturb, probes, toy_rows
from functory_sdk.testing.comparing import difference
from functory_sdk.testing.generators import generators_untouched
from functory_sdk.testing.suite import ComponentSuite, TorchSuite, in_subprocess

TOLERANCES = {"fp32": 1e-4, "f32": 1e-4, "fp16": 5e-2, "f16": 5e-2, "bf16": 2e-1}
"""How far log-probabilities may be from the torch form's; integer forms are measured by their correlation."""
OPTIONS = SessionOptions(threads=1, budget=64)


class EngineSuite(ComponentSuite, TorchSuite):
    """Inherit it, and name the engine in `component`.

    Programs are made from a tiny encoder with a toy head, by the engine itself where it trains, else by `reference`.
    """

    kind: ClassVar[str] = "engines"
    reference: ClassVar[str] = "torch"
    """The engine that makes the torch programs from which others convert."""
    device: ClassVar[str] = "cpu"
    """Where the programs are opened."""
    _forms: ClassVar[list[tuple[str, Program, list[Row]]] | None] = None
    _place: ClassVar[Path | None] = None

    @pytest.fixture(scope="class", autouse=True)
    def _place_of_forms(self, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> None:
        """A folder for what the engine converts: once for all checks of the class, since some take seconds."""
        request.cls._forms, request.cls._place = None, tmp_path_factory.mktemp("forms")

    @property
    def engine(self) -> Any:  # Any: engines are known by their contract
        """The engine, with the suite's options."""
        return self.configured()

    def has(self, ability: str) -> bool:
        """Whether the engine declares an ability."""
        return ability in self.load().abilities

    def fitted(self, seed: int = 0, backbone: str = "tiny-encoder", **options: Any) -> Fitted:
        """Return a torch model with φ, assembled by the engine itself or by the reference."""
        from functory.plugins.registry import load
        from functory.running.backbones import open_backbone
        from functory_sdk.testing.toy import ToyAdaptation, ToyState, ToyTask

        engine = self.engine if self.has("training") else load("engines", self.reference).configure()
        opened, adaptation, task = open_backbone(backbone, options), ToyAdaptation(), ToyTask()
        state = ToyState(labels=("no", "yes"))
        model = engine.adapt(opened, task.formulate(opened.spec, "supervised"), state, adaptation, seed=seed)
        return Fitted(engine, opened, adaptation, model)

    def programs(self, folder: Path) -> Iterator[tuple[str, Program, list[Row]]]:
        """Give each form that the engine runs: precision, program, and the torch form's outputs of `rows`.

        Each check has files of its own, copied from those that were converted for the first.
        """
        if not self.has("forward"):
            pytest.skip("the engine declares no forward pass")
        kind = type(self)
        if kind._place is None:  # a check that is called by itself, without pytest
            yield from self.converted(folder)
            return
        if kind._forms is None:
            kind._forms = list(self.converted(kind._place))
        for precision, program, expected in kind._forms:
            if program.folder is None:  # the torch form, in memory
                yield precision, program, expected
            else:
                own = shutil.copytree(program.folder, folder / precision)
                yield precision, program.at(own), expected

    def converted(
        self, folder: Path, precisions: Sequence[str] = (), **options: Any
    ) -> Iterator[tuple[str, Program, list[Row]]]:
        """Convert the program to each form that the engine runs, as `programs` gives them.

        :param precisions: some of the forms; all when empty.
        :param options: of the tiny encoder.
        """
        fitted = self.fitted(**options)
        perturb(fitted.model)
        rows = self.rows()
        expected = fitted.outputs(rows)
        whole = Program("forward", fitted.model.inputs, fitted.model.outputs, model=fitted.model)
        if not self.load().precisions:  # it has no form of its own and runs the torch form
            yield "fp32", whole, expected
            return
        for precision in precisions or self.load().precisions:
            place = folder / precision
            place.mkdir(parents=True)
            yield precision, self.engine.convert(whole, place, precision=precision, samples=rows), expected

    def rows(self) -> list[dict[str, Array]]:
        """Return rows of unequal lengths."""
        from functory.running.backbones import open_backbone

        return probes(open_backbone("tiny-encoder")) * 3

    def open(self, program: Program, **options: Any) -> Any:  # Any: a session
        """Open a program."""
        return self.engine.open(program, OPTIONS.model_copy(update={"device": self.device, **options}))

    def test_it_declares_what_it_can(self) -> None:
        """It runs forward passes or writes; every ability and precision that it names is one that functory knows.

        If this fails: set `abilities = frozenset({"forward"})`, or more of what the contract lists: what is not declared
        is not asked for, and not checked.
        """
        abilities, known = self.load().abilities, frozenset(get_args(Ability))
        assert abilities & {"forward", "generate"}, "it declares neither forward passes nor generation, and can do nothing."
        assert abilities <= known, f"nobody asks for {', '.join(sorted(abilities - known))}."

    # -- forward ----------------------------------------------------------------------------------------

    def test_every_form_gives_the_torch_forms_outputs(self, tmp_path: Path) -> None:
        """Rows of unequal lengths come out in order, as the torch form computes them; integer forms, nearly so.

        If this fails: a conversion that is off everywhere lost a weight or a mask; one that is off on short rows reads
        padding; one that is off by 1e-2 runs in bf16: ask the runtime for f32.
        """
        for precision, program, expected in self.each(self.programs(tmp_path)):
            assert program.precision == precision, f"{precision}: the program calls itself {program.precision!r}."
            session = self.open(program)
            found = session.run(self.rows())
            session.close()
            check_close(precision, expected, found)

    def test_texts_are_read_at_one_length(self, tmp_path: Path) -> None:
        """Where a backbone's vectors have one length, the program brings them to it, as the torch form does.

        If this fails: convert the program as it is, normalisation included; it is a norm and a division.
        """
        if not self.has("forward"):
            pytest.skip("the engine declares no forward pass")
        first = self.load().precisions[:1]  # in every form the reading is the same
        for precision, program, expected in self.each(self.converted(tmp_path, first, is_normalised=True)):
            session = self.open(program)
            found = session.run(self.rows())
            session.close()
            check_close(precision, expected, found)

    def test_batches_change_nothing(self, tmp_path: Path) -> None:
        """A row gives alone what it gives among others, nothing gives nothing, and a long row is no surprise.

        If this fails: pass the mask to the graph, and let every axis that varies be dynamic.
        """
        for precision, program, _ in self.each(self.programs(tmp_path)):
            session, rows = self.open(program), self.rows()
            together = session.run(rows)
            alone = [session.run([row])[0] for row in rows]
            assert session.run([]) == [], f"{precision}: no rows gave something."
            off = difference(together, alone)
            assert off <= (1e-4 if precision in TOLERANCES else 0.5), (
                f"{precision}: a batch changes a row by {off:.2g}."
            )
            session.close()

    def test_many_threads_share_a_session(self, tmp_path: Path) -> None:
        """One session serves many threads at once.

        If this fails: give each thread a request object of its own, or lock around the one there is.
        """
        for precision, program, _ in self.each(self.programs(tmp_path)):
            session, rows = self.open(program), self.rows()
            expected = [session.run([row])[0] for row in rows]
            with ThreadPoolExecutor(8) as pool:
                found = list(pool.map(lambda i: session.run([rows[i % len(rows)]])[0], range(48)))  # noqa: B023
            for index, output in enumerate(found):
                off = difference([output], [expected[index % len(rows)]])
                assert off <= 1e-4, f"{precision}: outputs differ by {off:.2g} when threads share a session."
            session.close()

    def test_outputs_fit_the_ports(self, tmp_path: Path) -> None:
        """Outputs carry the ports' names, types and shapes.

        If this fails: keep the order of the program's outputs, and do not change their element types.
        """
        for precision, program, _ in self.each(self.programs(tmp_path)):
            session = self.open(program)
            for output in session.run(self.rows()[:2]):
                assert output.keys() == {port.name for port in program.outputs}, f"{precision}: {', '.join(output)}."
                for port in program.outputs:
                    assert np.asarray(output[port.name]).dtype == np.dtype(port.dtype), f"{precision}: {port.name!r}."
                    assert np.asarray(output[port.name]).ndim == len(port.axes), f"{precision}: {port.name!r}."
            session.close()

    def test_closing_ends_a_session_alone(self, tmp_path: Path) -> None:
        """Closing a session, even twice, leaves another session on the same program as it was.

        If this fails: free what this session made, and nothing that the program or the engine owns.
        """
        for _, program, _ in self.each(self.programs(tmp_path)):
            first, second, rows = self.open(program), self.open(program), self.rows()
            before = second.run(rows)
            first.close()
            first.close()
            assert difference(before, second.run(rows)) <= 1e-4
            second.close()

    def test_a_device_that_is_not_there_is_refused(self, tmp_path: Path) -> None:
        """Opening on a device that does not exist names the ones that do.

        If this fails: check `options.device` when the program is opened, and raise `NotSupported` with a `do`.
        """
        for _, program, _ in self.each(self.programs(tmp_path)):
            try:
                self.open(program, device="no-such-device:7")
            except NotSupported as error:
                there = self.device.partition(":")[0]
                assert there in error.do, f"the refusal does not name {there!r}, which is there: {error.do!r}"
                continue
            raise AssertionError("the device 'no-such-device:7' was accepted.")

    # -- forms of its own -------------------------------------------------------------------------------

    def test_a_converted_form_moves(self, tmp_path: Path) -> None:
        """What was converted runs from another folder, described by plain data, after the first folder is gone.

        If this fails: keep every file in the folder, name them relatively, and hold nothing in the engine object.
        """
        if not self.load().precisions:
            pytest.skip("the engine has no form of its own")
        for precision, program, _ in self.each(list(self.programs(tmp_path / "made"))):
            before = self.run_once(program)
            assert program.folder is not None and program.model is None, f"{precision}: a form is a folder, no model."
            told = json.dumps(program.as_json())
            shutil.move(program.folder, tmp_path / f"moved-{precision}")
            again = Program.from_json(json.loads(told), tmp_path / f"moved-{precision}")
            off = difference(before, self.run_once(again))
            assert off <= 1e-5, f"{precision}: outputs differ by {off:.2g} after the folder was moved."

    def test_a_converted_form_runs_without_torch(self, tmp_path: Path) -> None:
        """A converted form is opened and run with neither torch nor transformers imported.

        If this fails: import what converting needs inside `convert`, apart from what running needs.
        """
        if not self.load().precisions:
            pytest.skip("the engine has no form of its own")
        [(_, program, expected), *_] = self.programs(tmp_path)
        (tmp_path / "program.json").write_text(json.dumps(program.as_json()))
        row: dict[str, Any] = self.rows()[0]
        np.savez(tmp_path / "row.npz", **row)
        module, _, attribute = self.entry.value.partition(":")
        code = (
            "import sys, json\nfrom pathlib import Path\nimport numpy as np\nfrom importlib import import_module\n"
            "from functory.contracts.rows import Program\nfrom functory.contracts.engine import SessionOptions\n"
            f"program = Program.from_json(json.loads(Path({str(tmp_path / 'program.json')!r}).read_text()), "
            f"Path({str(program.folder)!r}))\n"
            f"cls = import_module({module!r}).{attribute}\ncls.name = {self.component!r}\n"
            f"engine = cls.configure({dict(self.options)!r})\n"
            f"session = engine.open(program, SessionOptions(threads=1, budget=64, device={self.device!r}))\n"
            f"[output] = session.run([dict(np.load({str(tmp_path / 'row.npz')!r}))])\n"
            "print('output:', json.dumps({name: np.asarray(v).tolist() for name, v in output.items()}))\n"
            "print('heavy:', *[name for name in ('torch', 'transformers') if name in sys.modules])\n"
        )
        told = in_subprocess(code)
        heavy = told.partition("heavy:")[2].split()
        assert not heavy, f"running a converted form imports {', '.join(heavy)}."
        found = json.loads(told.partition("output:")[2].splitlines()[0])
        check_close(program.precision, expected[:1], [{k: np.asarray(v, dtype=np.float32) for k, v in found.items()}])

    def test_a_form_that_is_cut_off_is_called_corrupt(self, tmp_path: Path) -> None:
        """A form of which any file lacks its second half is not opened: the error is `ArtefactCorrupt`, and says where.

        If this fails: catch what the runtime raises when it reads the files, and raise `ArtefactCorrupt` from it with the
        file as `where`; where the runtime takes what it gets, compare the file's size with one that you wrote down.
        """
        if not self.load().precisions:
            pytest.skip("the engine has no form of its own")
        for precision, program, _ in self.each(self.programs(tmp_path)):
            assert program.folder is not None, f"{precision}: a form is a folder."
            for file in sorted(path for path in program.folder.rglob("*") if path.is_file()):
                whole = file.read_bytes()
                file.write_bytes(whole[: len(whole) // 2])
                try:
                    self.open(program).close()
                except ArtefactCorrupt as error:
                    assert str(program.folder) in error.where, f"{precision}: the error does not say where: {error}"
                else:
                    raise AssertionError(f"{precision}: the form was opened with half of {file.name}.")
                file.write_bytes(whole)

    def test_a_closed_session_says_so(self, tmp_path: Path) -> None:
        """A session that ran, and was closed, refuses to run again, and says why.

        If this fails: forget the graph in `close`, and raise `NotSupported` in `run_batch` where there is none.
        """
        if not self.load().precisions:
            pytest.skip("the engine has no form of its own")
        for precision, program, _ in self.each(self.programs(tmp_path)):
            session, rows = self.open(program), self.rows()
            assert len(session.run(rows)) == len(rows)
            session.close()
            try:
                session.run(rows)
            except NotSupported as error:
                assert "closed" in error.what and error.do, f"{precision}: a closed session says: {error}"
            except Exception as error:
                raise AssertionError(f"{precision}: a closed session says: {error!r}") from error
            else:
                raise AssertionError(f"{precision}: the session ran after it was closed.")

    def test_a_reduced_form_spares_the_head(self, tmp_path: Path) -> None:
        """A large weight that cancels out in the probabilities takes nothing from the weights beside it.

        If this fails: leave the head's maps in fp32. Standardised features give it weights of very unequal size.
        """
        import torch

        reduced = [precision for precision in self.load().precisions if precision not in TOLERANCES]
        for precision in self.each(reduced or pytest.skip("the engine has no reduced precision")):
            outputs = []
            for weight in (0.0, 500.0):
                fitted = self.fitted()
                with torch.no_grad():
                    fitted.model.head.linear.weight[:, 0] = weight  # the same for every label
                whole = Program("forward", fitted.model.inputs, fitted.model.outputs, model=fitted.model)
                place = tmp_path / f"{precision}-{weight:g}"
                place.mkdir(parents=True)
                program = self.engine.convert(whole, place, precision=precision, samples=self.rows())
                outputs.append(self.run_once(program))
            off = difference(*outputs)
            assert off <= 0.01, f"{precision}: one large weight of the head changes the outputs by {off:.2g}."

    def test_an_unknown_precision_is_refused(self, tmp_path: Path) -> None:
        """Converting to a precision that is not declared, or with an engine that has no form, says so.

        If this fails: raise `NotSupported` that lists the precisions, and write nothing.
        """
        fitted = self.fitted()
        program = Program("forward", fitted.model.inputs, fitted.model.outputs, model=fitted.model)
        try:
            self.engine.convert(program, tmp_path, precision="no-such-precision")
        except FunctoryError:
            assert not list(tmp_path.iterdir()), "files were written for a refused precision."
        else:
            raise AssertionError("the precision 'no-such-precision' was accepted.")

    # -- generation -------------------------------------------------------------------------------------

    def test_generation_is_the_same_alone_and_in_any_batch(self) -> None:
        """Requests of unequal prompts and lengths give in one call the tokens that each gives alone, at its own index.

        If this fails: pad prompts on the left or mask them, count positions without padding, and give back the index
        of the request, not of the batch.
        """
        for session, requests in self.each(self.writing()):
            together = collect(session, requests)
            for index, request in enumerate(requests):
                [alone] = collect(session, [request])
                assert alone == together[index], f"request {index}: {alone} alone, {together[index]} in a batch."
                assert len(alone) <= request.max_new_tokens, f"request {index} has {len(alone)} tokens."
            backwards = collect(session, requests[::-1])[::-1]
            assert backwards == together, "the order of the requests changes what is written."

    def test_generation_stops_where_it_is_told(self) -> None:
        """A stop token ends its request alone, and is not given back.

        If this fails: look at the token before it is given, request by request.
        """
        for session, requests in self.each(self.writing()):
            free = collect(session, requests)
            stop = free[0][2]
            told = [Request(one.ids, one.max_new_tokens, frozenset({stop})) for one in requests]
            for index, (written, whole) in enumerate(zip(collect(session, told), free, strict=True)):
                expected = whole[: whole.index(stop)] if stop in whole else whole
                assert written == expected, f"request {index}: {written}, stopped at {stop}; without stop {whole}."

    def test_the_likelihood_of_a_text_is_what_its_writing_saw(self) -> None:
        """The log-probability of a written text: the same alone and in any batch, no other token likelier at its place,
        and that of its end where it stopped early.

        If this fails: the score of a token stands one place before it; mask the padding, and leave nothing of the prompt.
        """
        for session, requests in self.each(self.writing()):
            texts = collect(session, requests)
            likely = session.likelihood(requests, texts)
            for index, (request, text) in enumerate(zip(requests, texts, strict=True)):
                assert np.shape(likely[index]) == (len(text),), f"request {index}: {np.shape(likely[index])}."
                off = float(np.abs(session.likelihood([request], [text])[0] - likely[index]).max())
                assert off <= 1e-4, f"request {index}: a batch changes its log-probabilities by {off:.2g}."
                for place, token in enumerate(text):
                    other = session.likelihood([request], [[*text[:place], token - 1 if token else 1]])[0][place]
                    assert other <= likely[index][place] + 1e-4, f"request {index}: token {place} was not the likeliest."
            stopping = Request(requests[0].ids, requests[0].max_new_tokens, frozenset({texts[0][2]}))
            [early] = session.likelihood([stopping], [texts[0][:2]])
            assert np.shape(early) == (3,), "a text that stopped early has no log-probability of its end."
            assert float(np.abs(early - likely[0][:3]).max()) <= 1e-4, "its end is not as likely as the token that ends it."

    def test_a_session_that_does_not_generate_says_so(self, tmp_path: Path) -> None:
        """Asking for text from an engine that declares no generation is refused.

        If this fails: leave `Session.generate` as it is, or declare "generate".
        """
        if self.has("generate"):
            pytest.skip("the engine declares generation")
        for _, program, _ in self.each(self.programs(tmp_path)):
            session = self.open(program)
            try:
                list(session.generate([Request((1, 2), 2)]))
            except NotSupported:
                continue
            raise AssertionError("the session generated without declaring it.")

    def writing(self) -> Iterator[tuple[Any, list[Request]]]:
        """Give sessions that write, after the prompts of a tiny decoder and from the sources of a tiny encoder-decoder."""
        from functory.running.backbones import open_backbone

        if not self.has("generate"):
            pytest.skip("the engine declares no generation")
        from functory_sdk.torch import Model, structural_copy

        for backbone in map(open_backbone, ("tiny-decoder", "tiny-encoder-decoder")):
            network, spec = structural_copy(backbone.network), backbone.spec
            model = Model(network, None, spec.ports(), (), spec.points).eval()
            session = self.open(Program("generate", spec.ports(), model=model))
            texts = ["we saw", "a", "the day was very fine and", "bad"]
            prompts = [tuple(map(int, tokens.ids)) for tokens in backbone.tokenizer.tokens(texts)]
            yield session, [Request(ids, 6 + index) for index, ids in enumerate(prompts)]
            session.close()

    # -- training ---------------------------------------------------------------------------------------

    def test_an_engine_that_does_not_train_says_so(self, tmp_path: Path) -> None:
        """Adapting, opening a training session and asking for φ are refused where training is not declared.

        If this fails: leave those methods as they are, or declare "training".
        """
        if self.has("training"):
            pytest.skip("the engine declares training")
        fitted, engine = self.fitted(), self.engine
        rows, run = toy_rows(fitted.backbone, 4), Run(tmp_path, tmp_path, 0)
        asked: tuple[Callable[[], Any], ...] = (
            lambda: engine.adapt(fitted.backbone, None, None, fitted.adaptation),
            lambda: engine.session(fitted.model, rows, None, run),
            lambda: engine.phi(fitted.model),
            lambda: engine.load_phi(fitted.model, {}),
        )
        for ask in asked:
            try:
                ask()
            except NotSupported:
                continue
            raise AssertionError("it trains without declaring it.")

    def test_phi_goes_out_and_comes_back(self) -> None:
        """φ is plain arrays by name; put into another model it restores it, and what does not fit is refused.

        If this fails: give copies of exactly the parameters that require a gradient, and check names and shapes.
        """
        self.trains()
        first, second = self.fitted(seed=1), self.fitted(seed=2)
        phi = first.phi
        probe = probes(first.backbone)
        assert phi and all(isinstance(array, np.ndarray) for array in phi.values())
        assert first.engine.takes(first.model), "the engine does not take the model that it made."
        assert not first.engine.takes(None), "the engine takes nothing for a model."
        second.engine.load_phi(second.model, phi)
        assert difference(first.outputs(probe), second.outputs(probe)) == 0, "φ did not restore the outputs."
        name = next(iter(phi))
        for wrong in ({}, {**phi, "more": phi[name]}, {**phi, name: np.zeros((1, 2, 3), np.float32)}):
            try:
                second.engine.load_phi(second.model, wrong)
            except ArtefactCorrupt:
                continue
            raise AssertionError(f"φ with {', '.join(wrong) or 'nothing'} was accepted.")

    def test_the_seed_decides_what_is_drawn(self) -> None:
        """The same seed draws the same φ; another seed another.

        If this fails: draw all first values in `adapt` from its `seed`.
        """
        self.trains()
        first, again, other = (self.fitted(seed).phi for seed in (1, 1, 2))
        assert all((first[name] == again[name]).all() for name in first), "one seed drew two different φ."
        assert any((first[name] != other[name]).any() for name in first), "two seeds drew the same φ."

    def test_the_loop_learns_and_repeats_itself(self, tmp_path: Path) -> None:
        """The training loop lowers the loss, tells its events, and with the same seed ends in the same bits.

        It leaves the process's generators as they are: they are the user's, and other runs' who train at the same time.

        If this fails: shuffle from the run's seed, and visit parameters in a fixed order; draw from generators of your own
        (`functory_sdk.torch.drawing`), and seed none that belongs to the process.
        """
        self.trains()
        before = float(loss_of(self.fitted(seed=4)).detach())
        events: list[Event] = []
        with generators_untouched(self.component):
            first, again = (self.looped(tmp_path / turn, events.append) for turn in ("first", "again"))
        assert float(loss_of(first).detach()) < before, "the loop did not lower the loss."
        assert all((array == again.phi[name]).all() for name, array in first.phi.items()), "two runs ended differently."
        assert {event.kind for event in events} >= {"step"}, f"only {sorted({e.kind for e in events})} were told."

    def test_an_interrupted_run_ends_in_the_same_bits(self, tmp_path: Path) -> None:
        """A run that was interrupted, and goes on from its folder, ends where one ends that was not.

        If this fails: a checkpoint holds optimizer, schedule, generators, position in the data and the best so far.
        """
        self.trains()
        whole = self.looped(tmp_path / "whole")

        def interrupt(event: Event) -> None:
            if event.kind == "step" and event.step == 5:
                raise KeyboardInterrupt

        with pytest.raises((KeyboardInterrupt, FunctoryError)):
            self.looped(tmp_path / "parts", interrupt)
        resumed = self.looped(tmp_path / "parts")
        for name, array in whole.phi.items():
            assert (array == resumed.phi[name]).all(), f"{name} differs between an interrupted run and a whole one."

    def trains(self) -> None:
        """Skip a check for engines that do not train."""
        if not self.has("training"):
            pytest.skip("the engine declares no training")

    def looped(self, folder: Path, emit: Any = lambda event: None) -> Fitted:
        """Return a model fitted by the engine's loop."""
        fitted = self.fitted(seed=4)
        rows = toy_rows(fitted.backbone, 32)
        run = Run(folder=folder / "run", store=folder / "store", seed=4, emit=emit)
        options = TrainingOptions(epochs=4, batch_rows=8, learning_rate=2e-2, checkpoint_steps=2)
        with fitted.engine.session(fitted.model, rows, None, run) as session:
            session.loop(options)
        fitted.model.eval()
        return fitted

    def run_once(self, program: Program) -> list[Row]:
        """Return the outputs of the rows in a session of their own."""
        session = self.open(program)
        found: list[Row] = session.run(self.rows())
        session.close()
        return found


def check_close(precision: str, expected: Sequence[Row], found: Sequence[Row]) -> None:
    """Compare outputs with the torch form's, as the precision allows."""
    if precision in TOLERANCES:
        off = difference(expected, found)
        assert off <= TOLERANCES[precision], f"{precision}: outputs are off by {off:.2g}."
        return
    assert difference(expected, found) < 2.0, f"{precision}: outputs are far off, or are not numbers."
    one, other = (np.concatenate([np.ravel(v) for row in rows for v in row.values()]) for rows in (expected, found))
    if len(one) > 4:
        together = float(np.corrcoef(one, other)[0, 1])
        assert together > 0.9, f"{precision}: outputs correlate with the torch form's by {together:.2f} only."


def collect(session: Any, requests: Sequence[Request]) -> list[list[int]]:
    """Return the tokens of each request."""
    written: list[list[int]] = [[] for _ in requests]
    for index, token in session.generate(requests):
        written[index].append(int(token))
    return written
