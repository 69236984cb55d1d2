"""A build that chooses its adaptation: what is tried, what is preferred, what is kept, and that it goes on where it stopped."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import pytest

import functory
from functory.artefact.checking import read_manifest
from functory.contracts.adaptation import Adaptation, Candidate, Choice, TrainingOptions
from functory.contracts.component import NoOptions
from functory.contracts.engine import Fit
from functory.errors import NotSupported, TrainingError, UnknownComponent
from functory.plugins.registry import registered
from functory_sdk import hookimpl
from functory_sdk.testing import kit
from functory_sdk.testing.toy import ToyAdaptation, rows
from functory_torch import store

TRAIN, DEV = rows(48), rows(24, seed=1)


class Idle(ToyAdaptation):
    """Learns nothing worth a word."""

    fits: ClassVar[list[int]] = []

    def fit(self, session: Any) -> Fit:
        self.fits.append(len(session.train.rows))
        return Fit({"steps": 3.0})


class Able(ToyAdaptation):
    """Learns, and counts how often."""

    fits: ClassVar[list[int]] = []

    def fit(self, session: Any) -> Fit:
        self.fits.append(len(session.train.rows))
        return super().fit(session)


class Broken(ToyAdaptation):
    """Cannot be fitted."""

    def fit(self, session: Any) -> Fit:
        raise TrainingError("the loss is not finite.", do="lower the learning rate.")


class Elsewhere(ToyAdaptation):
    """Goes with no formulation that there is."""

    puts = ("elsewhere",)


class Chooser(Adaptation[NoOptions]):
    """Chooses as a test says."""

    wanted: ClassVar[Choice] = Choice([Candidate("idle"), Candidate("able")])
    seen: ClassVar[list[int]] = []

    def choice(self, task: Any, spec: Any, examples: Sequence[Any]) -> Choice:
        self.seen.append(len(examples))
        return self.wanted


@pytest.fixture(autouse=True)
def toys() -> Iterator[None]:
    found = {"idle": Idle, "able": Able, "broken": Broken, "elsewhere": Elsewhere, "chooser": Chooser}
    with kit(), pytest.MonkeyPatch.context() as patch, ExitStack() as named:
        patch.setattr(Chooser, "wanted", Chooser.wanted)
        for name, component in found.items():
            patch.setattr(component, "fits", [], raising=False)
            named.enter_context(registered("adaptations", name, component, distribution="toys", version="1"))
        yield


def built(wanted: Choice | None = None, **recipe: Any) -> functory.Function:
    if wanted is not None:
        Chooser.wanted = wanted
    return functory.build(**{
        "task": "toy", "train": TRAIN, "dev": DEV, "backbone": "tiny-encoder", "adaptation": "chooser", "report": False,
        "test_share": 0, **recipe,
    })  # fmt: skip


def test_the_function_is_made_with_the_candidate_that_does_best() -> None:
    told: list[str] = []
    fn = built(tell=told.append)
    assert fn.form.adaptation.name == "able"
    assert [(one.adaptation, one.is_chosen, one.metric, one.examples) for one in fn.about.tried] == [
        ("idle", False, "accuracy", 24), ("able", True, "accuracy", 24),
    ]  # fmt: skip
    idle, able = fn.about.tried
    assert idle.score < able.score
    assert idle.steps == 3
    assert fn("we saw the good film").label == "yes"
    assert any("able: accuracy" in note and "idle: accuracy" in note for note in told)
    assert Chooser.seen[-1] == 48


def test_one_that_costs_less_is_taken_where_another_is_no_better() -> None:
    fn = built(Choice([Candidate("able"), Candidate("toy-head")]))
    assert [one.score for one in fn.about.tried] == [fn.about.tried[0].score] * 2
    assert fn.form.adaptation.name == "able"


def test_what_was_tried_is_kept_with_a_saved_function(tmp_path: Path) -> None:
    fn = built()
    fn.save(tmp_path / "toy")
    assert read_manifest(tmp_path / "toy").tried == fn.about.tried
    again = functory.load(tmp_path / "toy")
    assert again.about.tried == fn.about.tried
    assert again.info()["tried"][1]["adaptation"] == "able"
    assert read_manifest(tmp_path / "toy").forms[0].adaptation.name == "able"


def test_one_that_cannot_be_fitted_is_out_of_the_choice_and_told() -> None:
    told: list[str] = []
    fn = built(Choice([Candidate("broken"), Candidate("elsewhere"), Candidate("able")]), tell=told.append)
    assert fn.form.adaptation.name == "able"
    assert {one.adaptation: one.why_not for one in fn.about.tried} == {
        "broken": "the loss is not finite.", "able": "",
        "elsewhere": fn.about.tried[2].why_not,
    }  # fmt: skip
    assert "goes with 'elsewhere'" in fn.about.tried[2].why_not
    assert "broken is out of the choice: the loss is not finite." in told


def test_where_none_can_be_fitted_the_error_says_why() -> None:
    with pytest.raises(TrainingError, match=r"broken: the loss is not finite\."):
        built(Choice([Candidate("broken"), Candidate("broken")]))
    with pytest.raises(NotSupported, match="'elsewhere'"):
        built(Choice([Candidate("elsewhere")]))


def test_one_that_is_not_installed_is_passed_over_where_it_is_not_needed() -> None:
    fn = built(Choice([Candidate("absent", is_needed=False), Candidate("idle"), Candidate("able")]))
    assert [one.adaptation for one in fn.about.tried] == ["idle", "able"]
    with pytest.raises(UnknownComponent, match="absent"):
        built(Choice([Candidate("absent"), Candidate("able")]))


def test_a_candidate_alone_is_fitted_once_and_not_measured() -> None:
    fn = built(Choice([Candidate("absent", is_needed=False), Candidate("able")]))
    assert Able.fits == [48]
    assert (fn.form.adaptation.name, fn.about.tried) == ("able", ())
    built(Choice([Candidate("able")], folds=4), dev=None, dev_share=0)
    assert Able.fits == [48, 48]


def test_few_rows_are_held_out_in_turn_and_all_train_in_the_end() -> None:
    fn = built(Choice([Candidate("idle"), Candidate("able")], folds=4, repeats=2), dev=None, dev_share=0.25, test_share=0)
    assert fn.form.adaptation.name == "able"
    assert [(one.examples, one.folds) for one in fn.about.tried] == [(48, 4), (48, 4)]
    assert Able.fits == [36] * 8 + [48]
    assert Idle.fits == [36] * 8
    assert fn.about.data["train"]["examples"] == 48
    assert "dev" not in fn.about.data
    assert not fn.held_out


def test_a_dev_that_was_given_decides_and_trains_nothing() -> None:
    fn = built(Choice([Candidate("idle"), Candidate("able")], folds=4))
    assert [one.examples for one in fn.about.tried] == [24, 24]
    assert Able.fits == [48]


def test_without_dev_rows_are_held_out_in_turn() -> None:
    fn = built(dev=None, dev_share=0, test_share=0)
    assert [one.folds for one in fn.about.tried] == [5, 5]


def test_of_few_different_inputs_as_many_folds_are_told_as_there_are() -> None:
    fn = built(train=[{"text": "a good film", "label": "yes"}, {"text": "a bad film", "label": "no"}] * 4, dev=None, dev_share=0)
    assert [one.folds for one in fn.about.tried] == [2, 2]
    one = built(train=[{"text": "a good film", "label": "yes"}] * 4, dev=None, dev_share=0)
    assert (one.form.adaptation.name, one.about.tried) == ("idle", ())


def test_nothing_is_said_of_a_dev_whose_rows_are_held_out_in_turn() -> None:
    told: list[str] = []
    folds = Choice([Candidate("idle"), Candidate("able")], folds=4)
    built(folds, dev=None, dev_share=0.25, tell=told.append)
    assert not [note for note in told if note.startswith("dev ") or "of dev" in note]
    built(folds, tell=told.append)
    assert "dev has only 24 examples: its figures say little." in told


def test_the_one_that_dev_decides_for_is_fitted_to_dev_too_where_it_was_split_off() -> None:
    wanted = Choice([Candidate("idle"), Candidate("able")], is_refitted=True)
    fn = built(wanted, dev=None, dev_share=0.25)
    assert (fn.form.adaptation.name, Idle.fits, Able.fits) == ("able", [36], [36, 48])
    assert [(one.examples, one.folds) for one in fn.about.tried] == [(12, 0), (12, 0)]
    assert (fn.about.data["train"]["examples"], "dev" in fn.about.data, bool(fn.held_out)) == (48, False, False)
    given = built(wanted)
    assert (Able.fits[2:], given.about.data["dev"]["examples"]) == ([48], 24)


def test_one_that_stands_back_is_tried_where_the_other_cannot_be_fitted() -> None:
    behind = Candidate("able", unless="idle")
    first = built(Choice([Candidate("idle"), behind, Candidate("toy-head")]))
    assert [(one.adaptation, one.why_not) for one in first.about.tried][1] == ("able", "idle is tried in its place.")
    assert not Able.fits
    built(Choice([Candidate("broken"), replace(behind, unless="broken"), Candidate("toy-head")]))
    assert Able.fits == [48]


class Layered(ToyAdaptation):
    """Trains layers, in as many steps as it may."""

    Options = TrainingOptions
    fits: ClassVar[list[int]] = []

    def cut(self, spec: Any) -> int:
        return 1

    def fit(self, session: Any) -> Fit:
        self.fits.append(self.options.most_steps)
        return Fit({"steps": float(self.options.most_steps)})


class Best(ToyAdaptation):
    """Was best on dev after two thirds of its steps."""

    Options = TrainingOptions
    fits: ClassVar[list[int]] = []

    def cut(self, spec: Any) -> int:
        return 1

    def fit(self, session: Any) -> Fit:
        self.fits.append(self.options.most_steps)
        super().fit(session)
        return Fit({"steps": 30.0, **({"best_step": 20.0} if session.dev else {})})


def test_the_refitted_one_takes_as_many_passes_as_dev_found_best_and_keeps_to_the_budget() -> None:
    with registered("adaptations", "best", Best, distribution="toys", version="1"):
        for budget, most in ((0, [0, 27]), (44, [22, 22])):
            Best.fits.clear()
            wanted = Choice([Candidate("idle"), Candidate("best")], is_refitted=True, most_steps=budget)
            fn = built(wanted, dev=None, dev_share=0.25)
            assert (Best.fits, fn.form.adaptation.options.most_steps) == (most, most[1])  # of 36 rows, and then of 48


def test_no_candidate_takes_more_steps_than_the_choice_allows_one_in_a_file_neither(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "from functory_sdk import Fit, TrainingOptions\nfrom functory_sdk.testing.toy import ToyAdaptation\n\n\n"
        "class Mine(ToyAdaptation):\n    Options = TrainingOptions\n\n    def cut(self, spec):\n        return 1\n\n"
        "    def fit(self, session):\n        return Fit({'steps': float(self.options.most_steps)})\n",
        encoding="utf-8",
    )
    mine = f"{tmp_path / 'mine.py'}:Mine"
    with registered("adaptations", "layered", Layered, distribution="toys", version="1"):
        told = [Candidate("layered", {"most_steps": 70}), Candidate("layered"), Candidate(mine), Candidate("able")]
        fn = built(Choice(told, most_steps=60))
        assert [one.steps for one in fn.about.tried[:3]] == [70, 60, 60]
        fn = built(Choice(told[1:], folds=2, repeats=3, repeats_of_layers=1, most_steps=60), dev=None, dev_share=0.25)
    assert Layered.fits == [70, 60, 20, 20]
    assert [one.steps for one in fn.about.tried[:2]] == [40, 40]
    assert len(Able.fits) == 1 + 2 * 3 + 1


def test_a_build_that_was_broken_off_fits_again_only_what_it_had_not(tmp_path: Path) -> None:
    wanted = Choice([Candidate("able"), Candidate("stopping"), Candidate("toy-head")])

    class Stopping(ToyAdaptation):
        """Is broken off the first time."""

        calls: ClassVar[int] = 0

        def fit(self, session: Any) -> Fit:
            Stopping.calls += 1
            if Stopping.calls == 1:
                raise KeyboardInterrupt
            return super().fit(session)

    with registered("adaptations", "stopping", Stopping, distribution="toys", version="1"):
        with pytest.raises(KeyboardInterrupt):
            built(wanted, run=tmp_path / "run")
        assert sorted(path.name for path in (tmp_path / "run").iterdir() if path.is_dir()) == ["1-able", "2-stopping"]
        fn = built(wanted, run=tmp_path / "run")
    assert Able.fits == [48]
    assert Stopping.calls == 2
    assert fn.form.adaptation.name == "able"


class Late:
    """Fails in the measuring, so long as it is told to."""

    error: ClassVar[BaseException | None] = None

    @hookimpl(wrapper=True)
    def evaluate(self) -> Any:
        report = yield
        if self.error:
            raise self.error
        return report


def test_a_build_that_fails_after_a_choice_fits_nothing_again_and_says_once_what_is_kept(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("FUNCTORY_CACHE", str(tmp_path / "cache"))
    wanted, asked = Choice([Candidate("idle"), Candidate("able")], folds=2), {"dev": None, "test": DEV, "report": True}
    whole = built(wanted, **asked, hooks=[Late()])
    fits = len(Able.fits)
    monkeypatch.setattr(Late, "error", KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt) as caught:
        built(wanted, **asked, hooks=[Late()])
    assert " ".join(map(str, caught.value.args)).count("What was learned is kept") == 1
    assert len(Able.fits) == 2 * fits
    monkeypatch.setattr(Late, "error", None)
    told: list[str] = []
    again = built(wanted, **asked, hooks=[Late()], tell=told.append)
    assert ["5 fits are" in note for note in told if "taken up" in note] == [True]
    assert len(Able.fits) == 2 * fits
    one, other = (fn.form.engine.phi(fn.form.program.model) for fn in (whole, again))
    assert all((one[name] == other[name]).all() for name in one)
    figures = ({"seconds"}, [fn.about.tried for fn in (whole, again)])
    assert len({str([one.model_dump(exclude=figures[0]) for one in tried]) for tried in figures[1]}) == 1
    assert not list((tmp_path / "cache" / "runs").iterdir())


@pytest.mark.parametrize(
    ("order", "left"),
    [(("able", "idle"), "begins the training again"), (("idle", "able"), "takes up what it fitted before this training")],
)
def test_a_fit_that_is_broken_off_says_what_is_there_of_those_before_it(
    order: tuple[str, ...], left: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("FUNCTORY_CACHE", str(tmp_path / "cache"))

    def broken(self: Any, session: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(Able, "fit", broken)
    with pytest.raises(KeyboardInterrupt) as caught:
        built(Choice([Candidate(name) for name in order]))
    [said] = caught.value.args
    assert left in said


def test_the_trunk_runs_once_an_example_whatever_folds_and_candidates_there_are(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("FUNCTORY_CACHE", str(tmp_path / "cache"))
    computed: list[int] = []

    def counting(rows: Any, *args: Any) -> Any:
        computed.append(len(rows))
        return compute(rows, *args)

    compute = store._compute
    monkeypatch.setattr(store, "_compute", counting)
    heads, top = [Candidate("head", {"iterations": count}) for count in (3, 5)], {"layers": 1, "epochs": 3}
    wanted = Choice([*heads, Candidate("contrastive", top), Candidate("lora", top)], folds=2, repeats=2)
    table = [{**row, "text": f"{row['text']} {n // 2}"} for n, row in enumerate(TRAIN)]
    fn = built(wanted, train=table, dev=None, dev_share=0)
    assert [one.why_not for one in fn.about.tried] == [""] * 4
    assert computed == [len({row["text"] for row in table})] * 2  # features, and states below the top layer
