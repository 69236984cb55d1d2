"""What fails after the training, or in the midst of it, loses nothing that was learned; the same build goes on as it says."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Semaphore
from typing import Any, ClassVar

import numpy as np
import pytest

import functory
from functory.errors import FunctoryError, HookError, TrainingError, UsageError
from functory.machine import holding
from functory.machine.places import cache_root
from functory.training.folders import RunFolder
from functory_head import HeadOnly
from functory_sdk import Event, Fit, hookimpl
from functory_sdk.testing import kit
from functory_sdk.testing.toy import rows

pytest.importorskip("torch")

WAYS: dict[str, dict[str, Any]] = {
    "lora": {"name": "lora", "epochs": 2, "batch_rows": 8, "checkpoint_steps": 4},
    "head": {"name": "head"},
    "a head that finds its structure": {"name": "head", "folds": 2, "iterations": 3},
}
TRAINED = "nothing is trained again"


@pytest.fixture(autouse=True)
def _kit(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.setenv("FUNCTORY_CACHE", str(tmp_path / "cache"))
    with kit():
        yield


class Failing:
    """Fails in one of a build's steps, so long as it is told to."""

    error: ClassVar[Any] = None

    @hookimpl(wrapper=True)
    def evaluate(self) -> Any:
        report = yield
        if self.error:
            raise self.error("no more")
        return report


class Strict:
    """Wraps the training: looks at what came out, and adds a note."""

    error: ClassVar[Any] = None

    @hookimpl(wrapper=True)
    def train(self) -> Any:
        fit: Fit = yield
        if self.error:
            raise self.error
        fit.notes.append("looked at")
        return fit


def build(way: str = "lora", hooks: Any = (), tell: Callable[[str], None] = lambda note: None, **more: Any) -> Any:
    given = {"train": rows(60), "test": rows(20, seed=1), **more}
    return functory.build(
        task="toy", backbone="tiny-encoder", adaptation=WAYS[way], seed=4, hooks=hooks, tell=tell, session={"threads": 1}, **given
    )  # fmt: skip


def same(one: Any, other: Any) -> bool:
    """Whether two functions are one: φ bit for bit, what the task tuned, the figures and the notes."""
    phi, others = (fn.form.engine.phi(fn.form.program.model) for fn in (one, other))
    is_phi = phi.keys() == others.keys() and all(np.array_equal(phi[name], others[name]) for name in phi)
    parts = (
        ("about", "data"),
        ("about", "metrics"),
        ("about", "notes"),
        ("form", "adaptation", "options"),
        ("golden",),
        ("state",),
    )
    return is_phi and all(_at(one, path) == _at(other, path) for path in parts)


def _at(owner: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        owner = getattr(owner, name)
    return owner


def runs() -> list[Path]:
    folder = cache_root() / "runs"
    return sorted(folder.iterdir()) if folder.is_dir() else []


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt], ids=["a hook fails", "Ctrl-C"])
def test_a_failure_after_the_training_loses_nothing(
    way: str, error: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    hook, finds = Failing(), way == "a head that finds its structure"
    monkeypatch.setattr("functory_head.layers._hidden_pays", lambda *args: finds)
    whole = build(way, hooks=[hook])
    assert bool(getattr(whole.form.adaptation.options, "hidden", 0)) == finds
    assert not runs(), "what is safe is not kept twice"
    monkeypatch.setattr(Failing, "error", error)
    with pytest.raises((HookError, KeyboardInterrupt)) as caught:
        build(way, hooks=[hook])
    [kept] = runs()
    told = getattr(caught.value, "do", "") or " ".join(map(str, caught.value.args))
    assert f"What was learned is kept in {kept}: the same build takes it up" in told
    monkeypatch.setattr(Failing, "error", None)
    notes: list[str] = []
    monkeypatch.setattr("functory.steps.CoreSteps.train", None)  # it is never asked
    again = build(way, hooks=[hook], tell=notes.append)
    assert any(TRAINED in note for note in notes)
    assert same(again, whole)
    assert not runs()


def test_a_hook_around_the_training_is_not_passed_by_because_it_failed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = build("head", hooks=[Strict()])
    monkeypatch.setattr(Strict, "error", RuntimeError("not good enough"))
    for _ in range(2):
        with pytest.raises(HookError, match="not good enough") as caught:
            build("head", hooks=[Strict()])
        assert "What was learned is kept" in caught.value.do
    monkeypatch.setattr(Strict, "error", None)
    monkeypatch.setattr("functory_head.HeadOnly.fit", None)
    again = build("head", hooks=[Strict()])
    assert same(again, whole)
    assert again.about.notes.count("looked at") == 1


class Answering:
    """Trains in core's place, and not at all."""

    @hookimpl
    def train(self) -> Any:
        return Fit(notes=["not trained"])


def test_what_a_hook_learned_is_taken_up_with_that_hook_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = build("head")
    monkeypatch.setattr(Failing, "error", RuntimeError)
    with pytest.raises(HookError):
        build("head", hooks=[Answering(), Failing()])
    assert same(build("head"), whole)
    monkeypatch.setattr(Failing, "error", None)
    notes: list[str] = []
    assert "not trained" in build("head", hooks=[Answering(), Failing()], tell=notes.append).about.notes
    assert any(TRAINED in note for note in notes)


class Stopping:
    """Presses Ctrl-C at a step."""

    def __init__(self, step: int) -> None:
        self.step = step

    @hookimpl
    def progress(self, event: Event) -> None:
        if event.kind == "step" and event.step == self.step:
            raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("step", "says"), [(2, "the same build begins the training again"), (6, "goes on from the checkpoint at step 4")]
)
def test_what_a_broken_off_training_says_of_the_next_is_true(step: int, says: str) -> None:
    whole = build()
    with pytest.raises(KeyboardInterrupt) as caught:
        build(hooks=[Stopping(step)])
    assert says in str(caught.value)
    notes: list[str] = []
    assert same(build(tell=notes.append, hooks=[]), whole)
    assert any("going on from the checkpoint at step 4" in note for note in notes) == (step == 6)


def test_what_ctrl_c_takes_from_a_run_that_went_on_is_what_was_there_before() -> None:
    for step in (6, 5):  # the second is broken off before it wrote a checkpoint of its own
        with pytest.raises(KeyboardInterrupt, match="goes on from the checkpoint at step 4"):
            build(hooks=[Stopping(step)])


def test_where_saving_fails_the_same_build_saves_what_was_learned(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def full(*args: Any, **kwargs: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "function.json")

    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    with monkeypatch.context() as patch:
        patch.setattr("functory.artefact.writing.write", full)
        with pytest.raises(FunctoryError) as caught:
            build("head", output=tmp_path / "saved")
    assert f"What was learned is kept in {runs()[0]}" in caught.value.do
    monkeypatch.setattr("functory_head.HeadOnly.fit", None)
    build("head", output=tmp_path / "saved")
    assert functory.load(tmp_path / "saved")("good").label == "yes"
    assert not runs()


def test_what_lies_in_a_named_folder_is_taken_up_by_its_own_recipe_alone(tmp_path: Path) -> None:
    first = build("head", run=tmp_path / "run")
    assert same(build("head", run=tmp_path / "run"), first)
    with pytest.raises(TrainingError, match="another recipe") as caught:
        build("head", run=tmp_path / "run", train=rows(44))
    assert str(tmp_path / "run") in str(caught.value)
    assert "takes it up" not in str(caught.value), "this build does not"


def test_damaged_φ_is_learned_anew(tmp_path: Path) -> None:
    first = build("head", run=tmp_path / "run")
    file = tmp_path / "run" / "learned" / "phi.safetensors"
    content = bytearray(file.read_bytes())
    content[-3] ^= 4
    file.write_bytes(content)
    notes: list[str] = []
    assert same(build("head", run=tmp_path / "run", tell=notes.append), first)
    assert not any(TRAINED in note for note in notes)


def test_a_full_disk_stops_no_training_and_the_earlier_checkpoint_stays_whole(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from functory_torch import checkpoints

    whole, written = build(), checkpoints._synced

    def filling(file: Path, content: bytes) -> None:
        if "step-00000004" not in str(file):
            file.write_bytes(content[: len(content) // 2])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(file))
        written(file, content)

    notes: list[str] = []
    with monkeypatch.context() as patch:
        patch.setattr(checkpoints, "_synced", filling)
        patch.setattr("functory.training.learned._write", lambda *args: filling(Path(args[0]).parent / "φ", b"12"))
        assert same(build(run=tmp_path / "run", tell=notes.append), whole)
    [told] = [note for note in notes if "no checkpoint can be written" in note]
    assert "No space left on device" in told
    assert "goes on from step 4" in told
    [lost] = [note for note in notes if "cannot be kept" in note][:1]
    assert "No room is left" in lost
    assert [place.name for place in (tmp_path / "run" / "checkpoints").iterdir()] == ["step-00000004"]
    again: list[str] = []
    assert same(build(run=tmp_path / "run", tell=again.append), whole)
    assert any("going on from the checkpoint at step 4" in note for note in again)


# -- two builds of one recipe ---------------------------------------------------------------------------


def test_who_waits_takes_up_what_the_first_learned(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three threads build one recipe at once: one trains, the others wait and say so, all end in the same bits."""
    whole = build("head")
    trained, waiting, fit = [], Semaphore(0), HeadOnly.fit

    def fit_while_others_wait(self: Any, session: Any) -> Any:
        trained.append(self)
        assert all(waiting.acquire(timeout=60) for _ in range(2)), "the others do not wait"
        return fit(self, session)

    def build_and_note(_: int) -> tuple[Any, list[str]]:
        notes: list[str] = []

        def tell(note: str) -> None:
            notes.append(note)
            if "waiting for it" in note:
                waiting.release()

        return build("head", tell=tell), notes

    monkeypatch.setattr(HeadOnly, "fit", fit_while_others_wait)
    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(build_and_note, range(3)))
    assert all(same(function, whole) for function, _ in found)
    assert len(trained) == 1
    assert sum(any(TRAINED in note for note in notes) for _, notes in found) == 2
    assert not runs()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system does not fork")
def test_a_fork_holds_nothing_of_its_parent_and_lets_nothing_of_it_go(tmp_path: Path) -> None:
    program = (
        "import os, sys\nfrom pathlib import Path\nfrom functory.machine import holding\n"
        "held = holding.take(Path(sys.argv[1]))\ngoes_on, told = os.pipe()\n"
        "if os.fork():\n    os.read(goes_on, 1)\n    os.kill(os.getpid(), 9)\n"
        "assert not holding.is_held_by_this_thread(Path(sys.argv[1]))\n"  # the fork, which lives on
        "held.release()\nassert holding.take(Path(sys.argv[1])) is None\nos.write(told, b'.')\n"
        "while holding.take(Path(sys.argv[1])) is None:\n    pass\nprint('taken')\n"
    )
    done = subprocess.run([sys.executable, "-c", program, tmp_path / "run"], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("taken\n", "")


def test_a_second_build_says_who_holds_the_folder_and_ctrl_c_leaves_the_first_alone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    held = holding.take(tmp_path / "run")
    assert held is not None
    monkeypatch.setattr(holding, "is_held_by_this_thread", lambda folder: False)
    notes: list[str] = []

    def pressed(seconds: float) -> None:
        assert holding.is_awaited(tmp_path / "run")
        raise KeyboardInterrupt

    monkeypatch.setattr("functory.training.folders.time.sleep", pressed)
    with pytest.raises(KeyboardInterrupt):
        build("head", run=tmp_path / "run", tell=notes.append)
    assert any(f"in use by process {os.getpid()}, since 20" in note for note in notes)
    assert not holding.is_awaited(tmp_path / "run")
    assert holding.take(tmp_path / "run") is None
    held.release()
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == [".held"]


def test_what_a_killed_process_held_is_free(tmp_path: Path) -> None:
    code = (
        "import os, sys\nfrom pathlib import Path\nfrom functory.machine import holding\n"
        "holding.take(Path(sys.argv[1]))\nwith holding.waiting(Path(sys.argv[1])):\n    os.kill(os.getpid(), 9)\n"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "run")], check=False)
    assert (tmp_path / "run" / ".held").exists()
    assert not holding.is_awaited(tmp_path / "run")
    again = holding.take(tmp_path / "run")
    assert again is not None
    again.release()


def test_a_folder_that_was_removed_under_who_waited_is_made_again(tmp_path: Path) -> None:
    first = holding.take(tmp_path / "run")
    assert first is not None
    (tmp_path / "run" / ".held").unlink()
    second = holding._locked(tmp_path / "run" / ".held")
    assert second is not None, "the lock of a file without a name holds nothing"
    os.close(second)
    first.release()


class Nesting:
    """Builds the same recipe once more within a build."""

    inner: ClassVar[Any] = None

    @hookimpl(wrapper=True)
    def train(self) -> Any:
        fit = yield
        if Nesting.inner is None:
            Nesting.inner = ()
            Nesting.inner = build("head")
        return fit


def test_a_build_within_a_build_of_the_same_recipe_waits_for_nobody() -> None:
    outer = build("head", hooks=[Nesting()])
    assert same(Nesting.inner, build("head"))
    assert same(Nesting.inner, outer)
    assert not runs()


def test_where_there_are_no_locks_a_build_takes_a_folder_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    def lockless(handle: int) -> bool:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    whole = build("head", hooks=[Failing()])
    monkeypatch.setattr(holding, "_lock", lockless)
    notes: list[str] = []
    assert same(build("head", tell=notes.append, hooks=[Failing()]), whole)
    assert any("a folder of its own" in note and "has no locks" in note for note in notes)
    assert len(runs()) == 1, "the one that it could not hold"
    monkeypatch.setattr(Failing, "error", RuntimeError)
    with pytest.raises(HookError) as caught:
        build("head", hooks=[Failing()])
    own = max(runs(), key=lambda path: len(path.name))
    assert f"the same build with --run {own}" in caught.value.do
    monkeypatch.setattr(Failing, "error", None)
    monkeypatch.setattr("functory_head.HeadOnly.fit", None)
    assert same(build("head", run=own, hooks=[Failing()]), whole)


def test_a_cache_that_cannot_be_written_stops_no_build_and_a_named_folder_that_cannot_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def refused(*args: Any) -> Path:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), "runs")

    monkeypatch.setattr("functory.training.folders.cache", refused)
    monkeypatch.setattr("functory.training.folders.cache_root", lambda: tmp_path / "nowhere")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    notes: list[str] = []
    with RunFolder("key", None, "run", notes.append) as place:
        assert place.path.parent == tmp_path
    assert "access is denied" in notes[0].lower()
    assert not place.path.exists()
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError), RunFolder("key", tmp_path / "file" / "run", "run", notes.append):
        pass


def test_the_same_command_goes_on_as_it_said_when_it_was_interrupted(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from functory.cli import main

    table, saved = tmp_path / "table.csv", tmp_path / "saved"
    table.write_text("text,label\n" + "".join(f"{row['text']},{row['label']}\n" for row in rows(80)))
    command = [
        "build",
        "--task",
        "toy",
        "--train",
        str(table),
        "--backbone",
        "tiny-encoder",
        "--adaptation",
        "head",
        "-o",
        str(saved),
    ]

    def pressed(*args: Any) -> Any:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("functory.measuring.evaluation.evaluate", pressed)
        assert main(command) == 130
    told = capsys.readouterr().err
    assert (
        f"interrupted. What was learned is kept in {runs()[0]}: the same build takes it up and trains nothing again."
        in told
    )
    monkeypatch.setattr("functory_head.HeadOnly.fit", None)
    assert main(command) == 0
    assert "note: what was learned before is taken up" in capsys.readouterr().err
    assert functory.load(saved)("good").label == "yes"
    assert not runs()
