"""Convert packed weights once, into the user's cache, and find them again.

A packed model (4-bit blocks in a container of its own) becomes a plain model folder: `model.safetensors`,
`config.json`, `tokenizer.json`. It is an entry of the cache: its name holds the source's hash and the converter's version,
it appears by one rename when it is whole, it carries a record of every file's hash, and every byte is checked against
that before a process uses it. A cache that cannot be written costs a conversion in each process::

    <cache>/weights/
      e5-small-1f0c…-v1/           the converted model
        model.safetensors  config.json  tokenizer.json
        converted.json             the record: source, converter, sizes and hashes; written last
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from functory.errors import ArtefactCorrupt, OptionError, WeightsMissing
from functory.machine.contents import content_hash
from functory.machine.entries import Entries
from functory.machine.places import cache_root
from functory_sdk.weightfiles import Progress

Convert = Callable[[Path, Path, Progress], None]
"""A converter: reads the source file, writes a model folder's files, tells its progress."""

RECORD = "converted.json"


@dataclass(frozen=True)
class PackedWeights:
    """Weights that a package carries in packed form: where they lie, and how they are unpacked.

    :param name: what the cache calls them: ``e5-small``.
    :param package: the import package that holds the file; it is never imported.
    :param file: the file inside it.
    :param install: the one line that brings the package.
    :param version: the converter's version; raise it when the converter's result changes.
    :param convert: the converter.
    """

    name: str
    package: str
    file: str
    install: str
    version: int
    convert: Convert

    def locate(self, place: str | Path | None = None) -> Path:
        """Return a packed file, or a model folder that is ready to load: what is named, installed or cached.

        :param place: a packed file, a folder that holds it, or a converted model folder; None looks for the
            installed package, then in the cache.
        :raises OptionError: where `place` is none of these.
        :raises WeightsMissing: where nothing is found; its `do` is the line that brings the package.
        """
        if place is not None:
            return self._named(Path(place).expanduser())
        found = package_file(self.package, self.file) or self._cached()
        if found is None:
            raise WeightsMissing(
                f"the weights of {self.name} are not on this machine.",
                where=f"looked for {self.file} in the package {self.package!r}, and in {weights_cache()}",
                do=self.install,
            )
        return found

    def locate_folder(self, place: str | Path | None = None) -> Path:
        """Return the folder of what `locate` finds; nothing is converted."""
        found = self.locate(place)
        return found if found.is_dir() else found.parent

    def folder(self, place: str | Path | None = None, progress: Progress | None = None) -> Path:
        """Return the model folder, converting the packed file when that was not yet done.

        :param place: as for `locate`.
        :raises DataError: where the packed file is damaged.
        :raises ArtefactCorrupt: where a converted folder is, and the packed file is not here to make it again.
        """
        found = self.locate(place)
        if not found.is_dir():
            return converted(found, self.name, self.version, self.convert, progress)
        fault = _entries().fault(found) if (found / RECORD).exists() else None
        if fault is not None:
            raise ArtefactCorrupt(
                f"the converted weights of {self.name} are damaged: {fault}.",
                where=str(found),
                do=f"functory cache clear weights, then {self.install}: the next use converts again.",
            )
        return found

    def _named(self, place: Path) -> Path:
        if (place / "model.safetensors").is_file() or place.is_file():
            return place
        if (place / self.file).is_file():
            return place / self.file
        raise OptionError(
            f"{place} holds no weights of {self.name}.",
            where=str(place),
            do=f"name {self.file}, its folder, or a folder with model.safetensors and its JSON files.",
        )

    def _cached(self) -> Path | None:
        entries = weights_cache().glob(f"{self.name}-*-v{self.version}")
        whole = [entry for entry in entries if _entries().is_whole(entry)]
        return max(whole, key=lambda entry: (entry / RECORD).stat().st_mtime, default=None)


def weights_cache() -> Path:
    """Return the cache's folder for converted weights, which need not exist."""
    return cache_root() / "weights"


def package_file(package: str, file: str) -> Path | None:
    """Return a file of an installed package without importing it: its code may want what is not here."""
    spec = find_spec(package)
    for folder in (spec.submodule_search_locations or ()) if spec is not None else ():
        if (Path(folder) / file).is_file():
            return Path(folder) / file
    return None


def converted(source: Path, name: str, version: int, convert: Convert, progress: Progress | None = None) -> Path:
    """Return the folder that `convert` makes of a source file, made now or found in the cache.

    A damaged entry is told, thrown away and made again.

    :param source: the packed file.
    :param name: the first part of the entry's name.
    :param version: the converter's version, the last part of it.
    :param convert: writes the files; whatever it raises is passed on, and nothing of it remains.
    :param progress: told how far it is; a line or bar on stderr when None.
    """
    digest, entries = content_hash(source), _entries()
    entry = f"{name}-{digest[:32]}-v{version}"

    def write(folder: Path) -> None:
        if progress is not None:
            convert(source, folder, progress)
            return
        with progress_line(f"converting {name}, once") as line:
            convert(source, folder, line)

    about = {"name": name, "version": version, "source": source.name, "source_sha256": digest}
    return entries.find(entry) or entries.make(entry, write, about)


def weights_hash(folder: Path) -> str:
    """Return the sha256 of a model folder's `model.safetensors`."""
    return content_hash(folder / "model.safetensors")


def _entries() -> Entries:
    return Entries(weights_cache(), "converted weights", RECORD, is_synced=True)


@contextmanager
def progress_line(title: str) -> Iterator[Progress]:
    """Give a progress callback that shows how far it is on stderr, as all long work does."""
    from functory.terminal import Progress as Bar
    from functory.terminal import progress

    bar: Bar[Any] = progress(None, title)

    def tell(done: int, total: int) -> None:
        bar.expect(total)
        bar.advance(done - bar.done)

    with bar:
        yield tell
