"""What pipelines of transformers 4 answered, kept in a file beside a plugin's tests, to which ours is held.

The file says which small checkpoints are asked what (`functory_sdk.testing.checkpoints`), and the answers are written by
transformers 4 itself, in an environment of its own, where the answers are also looked at again::

    python scripts/environments.py transformers4 -m functory_sdk.testing.pipelines plugins/tasks/…/tests/golden_pipeline.json
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar

import pytest

from functory_sdk.testing.checkpoints import write_checkpoint

NEAR = 1e-5
"""How far scores may lie from each other."""
def _dataset(rows: list[Any]) -> Any:  # Any: a data set of torch
    from torch.utils.data import Dataset

    class Rows(Dataset[Any]):
        def __len__(self) -> int:
            return len(rows)

        def __getitem__(self, place: int) -> Any:
            return rows[place]

    return Rows()


_FORMS: dict[str, Callable[[list[Any]], Any]] = {
    "generator": lambda given: (one for one in given), "tuple": tuple, "dataset": _dataset,
}  # fmt: skip
"""What JSON cannot hold: the first argument of a call, made of a list."""


def kept(file: Path) -> list[Any]:  # Any: pytest's own parameters
    """Return the pipelines of a file, each as a parameter of a test, named by what it is asked."""
    cases = json.loads(file.read_text(encoding="utf-8"))
    return [pytest.param(case, id=case["about"], marks=[pytest.mark.slow] if case.get("slow") else []) for case in cases]


class PipelineChecks:
    """Holds a pipeline to what transformers 4 answered. A test class derives from it and says where that is kept.

    :cvar golden: the file.
    """

    golden: ClassVar[Path]

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Ask each check of each pipeline of the file."""
        metafunc.parametrize("case", kept(self.golden))

    @pytest.fixture(scope="class")
    def place(self, tmp_path_factory: pytest.TempPathFactory) -> Path:
        """Where the small checkpoints are written."""
        return tmp_path_factory.mktemp("checkpoints")

    def test_every_call_is_answered_as_transformers_4_answered_it(self, case: Any, place: Path) -> None:
        """Ours, by `functory.compat.pipeline`."""
        from functory.compat import pipeline

        assert_alike(answers(case, pipeline, place), [call["answer"] for call in case["calls"]])

    @pytest.mark.peer(name="transformers4")
    def test_the_kept_answers_are_those_of_transformers_4(self, case: Any, place: Path) -> None:
        """Theirs, in an environment of its own."""
        import transformers

        assert transformers.__version__.startswith("4.")
        assert_alike(answers(case, transformers.pipeline, place), [call["answer"] for call in case["calls"]])


def answers(case: Mapping[str, Any], pipeline: Callable[..., Any], place: Path) -> list[Any]:
    """Return what a pipeline answers to each call of a case, in plain values; an error by its name.

    :param pipeline: ours, or that of transformers 4.
    :param place: where checkpoints are written; one that lies there is used again.
    """
    folder = _checkpoint(case["checkpoint"], place)
    made = pipeline(case["task"], model=str(folder), **case.get("made", {}))
    return [_plain_or_raised(made, call) for call in case["calls"]]


def assert_alike(found: object, wanted: object, where: str = "") -> None:
    """Hold plain values to each other: the same, and scores as near as `NEAR`."""
    if isinstance(wanted, float) and isinstance(found, float):
        assert abs(found - wanted) <= NEAR, f"{where}: {found}, not {wanted}"
    elif isinstance(wanted, dict) and isinstance(found, dict):
        assert list(found) == list(wanted), f"{where}: {found}, not {wanted}"
        for key, value in wanted.items():
            assert_alike(found[key], value, f"{where}.{key}")
    elif isinstance(wanted, list) and isinstance(found, list) and len(found) == len(wanted):
        for number, value in enumerate(wanted):
            assert_alike(found[number], value, f"{where}[{number}]")
    else:
        assert found == wanted, f"{where}: {found!r}, not {wanted!r}"


def remake(file: Path, pipeline: Callable[..., Any]) -> None:
    """Write into a file what a pipeline answers."""
    cases = json.loads(file.read_text(encoding="utf-8"))
    with TemporaryDirectory() as place:
        for case in cases:
            for call, answer in zip(case["calls"], answers(case, pipeline, Path(place)), strict=True):
                call["answer"] = answer
    lines = (json.dumps(case, ensure_ascii=False) for case in cases)
    file.write_text("[\n" + ",\n".join(lines) + "\n]\n", encoding="utf-8")


def _checkpoint(about: Mapping[str, Any], place: Path) -> Path:
    folder = place / "".join(letter if letter.isalnum() else "-" for letter in json.dumps(about))[-100:]
    return folder if folder.is_dir() else write_checkpoint(folder, **about)


def _plain_or_raised(made: Callable[..., Any], call: Mapping[str, Any]) -> Any:  # Any: plain values
    given = list(call.get("given", []))
    if "as" in call:
        given[0] = _FORMS[call["as"]](given[0])
    try:
        return _plain(made(*given, **call.get("named", {})))
    except Exception as error:
        return {"raises": type(error).__name__}


def _plain(value: Any) -> Any:  # Any: whatever a pipeline returns
    """Return tensors and iterators as lists."""
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items()}
    if hasattr(value, "tolist"):
        return value.tolist()
    return [_plain(one) for one in value] if isinstance(value, Iterable) and not isinstance(value, str) else value


if __name__ == "__main__":
    import transformers

    if not transformers.__version__.startswith("4."):
        raise SystemExit(f"golden answers are written by transformers 4, and this is {transformers.__version__}.")
    for name in sys.argv[1:]:
        remake(Path(name), transformers.pipeline)
