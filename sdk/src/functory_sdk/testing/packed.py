"""What a backbone owes whose weights another package carries packed, beside what every backbone owes.

Apart from `backbones`, because nothing here runs a network: a plugin may keep these checks among the fast tests.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import pytest

from functory.errors import ArtefactCorrupt, DataError, NotSupported, WeightsMissing
from functory_sdk import conversion
from functory_sdk.testing.suite import Suite, in_subprocess
from functory_sdk.weightfiles import write_safetensors


class PackedBackboneSuite(Suite):
    """Inherit it beside `BackboneSuite`, name the backbone in `component`, and its hash in `weights_hash`.

    For a `PackedBackbone`. Where its package is not installed, the checks that need it are skipped with the line that
    brings it.
    """

    kind: ClassVar[str] = "backbones"
    weights_hash: ClassVar[str] = ""
    """The sha256 of the converted weights, as one machine found it; or how it begins."""
    cuts: ClassVar[Sequence[int]] = ()
    """Sizes in bytes to which the packed file is cut: one in each of its parts. None, three and all but one are tried always."""

    @property
    def source(self) -> Path:
        """The packed file of the installed package."""
        weights = self.load().weights
        found = conversion.package_file(weights.package, weights.file)
        if found is None:
            pytest.skip(f"the weights are not installed: {weights.install}")
        return found

    def test_missing_weights_are_answered_with_the_one_line_to_type(self, tmp_path: Path) -> None:
        """Without the package, and with nothing in the cache, `locate` says the line that brings the package.

        If this fails: leave `locate` as `PackedBackbone` has it.
        """
        cls = self.load()
        with empty_cache(tmp_path), pytest.MonkeyPatch.context() as patch:
            patch.setattr(conversion, "package_file", lambda package, file: None)
            try:
                found = cls.configure({}).locate()
            except WeightsMissing as error:
                assert error.do == cls.weights.install, f"it says {error.do!r}, not {cls.weights.install!r}."
            else:
                raise AssertionError(f"weights that are nowhere were located in {found}.")

    def test_locating_converts_nothing(self, tmp_path: Path) -> None:
        """`locate` finds the package's file and leaves the cache as it was.

        If this fails: ask `weights.locate_folder` there, not `self.folder`.
        """
        assert self.source.is_file()
        with empty_cache(tmp_path) as cache:
            self.load().configure({}).locate()
            assert not cache.exists(), "locating wrote into the cache."

    def test_the_weights_hash_is_the_same_on_every_machine(self, tmp_path: Path) -> None:
        """A conversion from scratch gives weights of the declared hash: what φ was fitted to elsewhere is here too.

        If this fails: compute each number with operations that are exact everywhere, in a fixed order; where the
        converter's result was changed on purpose, raise its version and declare the new hash.
        """
        assert self.source.is_file()
        with empty_cache(tmp_path):
            found = self.load().configure({}).spec.weights_hash
        assert self.weights_hash, f"declare the hash: weights_hash = {found[:16]!r}"
        assert found.startswith(self.weights_hash), f"the weights' hash is {found}, not {self.weights_hash}."

    def test_a_killed_conversion_is_never_loaded(self, tmp_path: Path) -> None:
        """A process that ends while it converts leaves nothing where finished conversions lie.

        If this fails: convert by `weights.folder`, which gives a folder its name when it is whole, and tell the
        progress while you write.
        """
        assert self.source.is_file()
        module, _, attribute = self.entry.value.partition(":")
        code = (
            "import os\nfrom dataclasses import replace\nfrom importlib import import_module\n"
            f"cls = import_module({module!r}).{attribute}\ncls.name = {self.component!r}\nweights = cls.weights\n"
            "def killed(source, folder, progress):\n"
            "    weights.convert(source, folder, lambda done, total: os._exit(0))\n"  # as a kill: nothing is tidied up
            "cls.weights = replace(weights, convert=killed)\ncls.configure({}).spec\nprint('whole')\n"
        )
        with empty_cache(tmp_path):
            assert "whole" not in in_subprocess(code), "the converter told no progress, and could not be killed."
            left = [path.name for path in conversion.weights_cache().glob("*") if not path.name.startswith(".")]
        assert not left, f"a killed conversion left {', '.join(left)}."

    def test_a_file_cut_short_is_refused_and_nothing_is_written(self, tmp_path: Path) -> None:
        """A packed file that ends too early, wherever that is, is an error that names it, before anything is written.

        If this fails: read by `PackedFile`, which checks every border, and look at all borders before the first write.
        """
        whole, short = self.source.read_bytes(), tmp_path / self.source.name
        for size in sorted({0, 3, *self.cuts, len(whole) - 1}):
            short.write_bytes(whole[:size])
            folder = tmp_path / f"of-{size}"
            folder.mkdir()
            try:
                self.load().weights.convert(short, folder, lambda done, total: None)
            except DataError as error:
                assert short.name in error.what and str(short) in error.where, f"the file is not named: {error}"
            else:
                raise AssertionError(f"the file was accepted when cut to {size:,} bytes.")
            left = [path.name for path in folder.iterdir()]
            assert not left, f"cut to {size:,} bytes it was refused after {', '.join(left)} was written."
        short.unlink()


@contextmanager
def empty_cache(folder: Path) -> Iterator[Path]:
    """Give a cache that is not there yet, and take it away again: converted weights are large."""
    cache = folder / "empty-cache"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FUNCTORY_CACHE", str(cache))
        yield cache
    shutil.rmtree(cache, ignore_errors=True)


def check_named_folder(backbone: Any, family: str, folder: Path) -> None:  # Any: a class of backbones
    """Check that a folder which a user names in the option `folder` is told what it lacks, step by step.

    :param backbone: the class, of weights of one family.
    :param family: that family, as transformers names it.
    :param folder: an empty folder.
    """

    def told(kind: type[Exception], message: str) -> None:
        with pytest.raises(kind, match=message):
            _ = backbone.configure({"folder": str(folder)}).spec

    (folder / "model.safetensors").write_bytes(b"version https://git-lfs.github.com/spec/v1\n")
    told(ArtefactCorrupt, "is a pointer of Git LFS")
    write_safetensors(folder / "model.safetensors", [])
    told(WeightsMissing, r"there is no config\.json")
    (folder / "config.json").write_text('{"model_type": "gpt2", "hidden_size": 8}')
    told(NotSupported, f"a model of the family 'gpt2'; this backbone is a {family}")
    (folder / "config.json").write_text(f'{{"model_type": "{family}", "hidden_size": "8"}}')
    told(ArtefactCorrupt, "config.json says hidden_size = '8', no whole number")
