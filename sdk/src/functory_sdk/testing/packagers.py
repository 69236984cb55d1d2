"""What every packager owes."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from functory.contracts.packager import Packager
from functory_sdk.testing.guarding import overridable
from functory_sdk.testing.suite import ComponentSuite, TorchSuite
from functory_sdk.testing.toybox import toy_function


class PackagerSuite(TorchSuite, ComponentSuite):
    """Packages a saved function. `artefact` may be overridden by one that the packager takes."""

    kind: ClassVar[str] = "packagers"

    @overridable
    def artefact(self, folder: Path) -> Path:
        """Return the artefact to package: the toy function, saved."""
        return toy_function().save(folder / "function")

    def test_it_is_a_packager(self) -> None:
        """The class derives from the contract.

        If this fails: derive it from `functory_sdk.Packager`.
        """
        assert issubclass(self.load(), Packager)

    def test_two_packages_of_one_artefact_are_the_same_bytes(self, tmp_path: Path) -> None:
        """Names, contents and bytes agree, whenever and wherever it runs.

        If this fails: fix times, order and modes in what you write.
        """
        artefact = self.artefact(tmp_path)
        first = self.configured().package(artefact, "my-toy", tmp_path / "one")
        second = self.configured().package(artefact, "my-toy", tmp_path / "two")
        assert first, "it wrote nothing."
        names = [path.name for path in first]
        assert names == [path.name for path in second], f"the files are {names} and {[path.name for path in second]}."
        for one, other in zip(first, second, strict=True):
            assert one.read_bytes() == other.read_bytes(), f"two packages of one artefact differ in {one.name}."

    def test_it_says_what_it_wrote_and_leaves_the_artefact_alone(self, tmp_path: Path) -> None:
        """The files returned are there, nothing half-written lies beside them, and the artefact is as it was.

        If this fails: write to a temporary name and rename; return every file.
        """
        from functory.artefact.checking import check

        artefact = self.artefact(tmp_path)
        written = self.configured().package(artefact, "my-toy", tmp_path / "out")
        out = tmp_path / "out"
        told, there = ({one.relative_to(out).as_posix() for one in some if one.is_file()} for some in (written, out.rglob("*")))
        assert told == there, f"it says it wrote {sorted(told)}; there lie {sorted(there)}."
        check(artefact)
