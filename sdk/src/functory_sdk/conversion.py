"""Convert packed weights once, into the user's cache, and find them again.

A packed model (4-bit blocks in a container of its own) becomes a plain model folder: `model.safetensors`,
`config.json`, `tokenizer.json`. The folder's name holds the source's hash and the converter's version, it
appears by one rename when it is whole, and it carries a record of every file's hash::

    <cache>/weights/
      e5-small-1f0c…-v1/           the converted model
        model.safetensors  config.json  tokenizer.json
        converted.json             the record: source, converter, sizes and hashes; written last
      .e5-small-1f0c…-v1.k3x2.part/   a conversion that is under way, or was killed: nobody loads it
      .sources/                    which file had which hash, so that an unchanged source is not read again
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from functory.errors import ArtefactCorrupt, FunctoryError, OptionError, WeightsMissing
from functory.machine.places import cache, cache_root
from functory_sdk.weightfiles import Progress

Convert = Callable[[Path, Path, Progress], None]
"""A converter: reads the source file, writes a model folder's files, tells its progress."""

RECORD = "converted.json"
ABANDONED_SECONDS = 600
"""A conversion writes all the time; one that wrote nothing for so long was killed."""


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
        """
        found = self.locate(place)
        if found.is_dir():
            return found
        return converted(found, self.name, self.version, self.convert, progress)

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
        sound = [entry for entry in entries if is_sound(entry)]
        return max(sound, key=lambda entry: entry.stat().st_mtime, default=None)


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


def converted(
    source: Path, name: str, version: int, convert: Convert, progress: Progress | None = None
) -> Path:
    """Return the folder that `convert` makes of a source file, made now or found in the cache.

    Processes may do this at once: each works in a folder of its own, one rename wins, the others
    take the winner's. A damaged entry is thrown away and made again.

    :param source: the packed file.
    :param name: the first part of the entry's name.
    :param version: the converter's version, the last part of it.
    :param convert: writes the files; whatever it raises is passed on, and nothing of it remains.
    :param progress: told how far it is; a line or bar on stderr when None.
    """
    digest = source_hash(source)
    entry = weights_cache() / f"{name}-{digest[:32]}-v{version}"
    if is_sound(entry):
        return entry
    cache("weights")
    _sweep(entry)
    part = Path(tempfile.mkdtemp(prefix=f".{entry.name}.", suffix=".part", dir=entry.parent))
    try:
        if progress is not None:
            convert(source, part, progress)
        else:
            with progress_line(f"converting {name}, once") as line:
                convert(source, part, line)
        _record(part, {"name": name, "version": version, "source": source.name, "source_sha256": digest})
        _publish(part, entry)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return entry


def weights_hash(folder: Path) -> str:
    """Return the sha256 of a model folder's `model.safetensors`: from its record where that is current."""
    record = _read_record(folder)
    member = folder / "model.safetensors"
    known = (record or {}).get("files", {}).get(member.name)
    if known is not None and _is_unchanged(member, known):
        return str(known["sha256"])
    return _sha256(member)


def is_sound(entry: Path) -> bool:
    """Say whether a cache entry is whole: by size and time of each file, by hash where a time differs."""
    record = _read_record(entry)
    if record is None:
        return False
    if all(_is_unchanged(entry / member, known) for member, known in record["files"].items()):
        return True
    try:
        verify(entry)
    except ArtefactCorrupt:
        return False
    return True


def verify(entry: Path) -> None:
    """Hash every file of a cache entry.

    :raises ArtefactCorrupt: for the first file that is missing or differs, named.
    """
    record = _read_record(entry)
    if record is None:
        raise ArtefactCorrupt(f"{entry.name} has no readable record.", where=str(entry / RECORD), do=_REMEDY)
    for member, known in record["files"].items():
        path = entry / member
        if not path.is_file():
            raise ArtefactCorrupt(f"{member} is missing.", where=str(path), do=_REMEDY)
        found = _sha256(path)
        if found != known["sha256"]:
            raise ArtefactCorrupt(
                f"{member} is not what was converted: sha256 is {found[:9]}…, was {known['sha256'][:9]}….",
                where=str(path),
                do=_REMEDY,
            )


_REMEDY = "delete that folder: the next use converts again."


def source_hash(source: Path) -> str:
    """Return the sha256 of a file, remembered for as long as its size and time stay."""
    stat, place = source.stat(), str(source.resolve())
    sign = [place, stat.st_size, stat.st_mtime_ns]
    note = weights_cache() / ".sources" / (hashlib.sha256(place.encode()).hexdigest()[:32] + ".json")
    try:
        known = json.loads(note.read_text("utf-8"))
        if known["sign"] == sign:
            return str(known["sha256"])
    except (OSError, ValueError, KeyError, TypeError):
        pass  # no note, or a damaged one: it is only a shortcut
    digest = _sha256(source)
    cache("weights", ".sources")
    _write_whole(note, json.dumps({"sign": sign, "sha256": digest}))
    return digest


def _publish(part: Path, entry: Path) -> None:
    """Give a finished folder its name; where another process was first, its folder stays."""
    for _ in range(3):
        try:
            os.rename(part, entry)
            _sync_folder(entry.parent)
            return
        except OSError:
            if is_sound(entry):
                return
            # A damaged entry is in the way. It is moved aside first, so that no reader sees half of it.
            aside = Path(tempfile.mkdtemp(prefix=f".{entry.name}.", suffix=".part", dir=entry.parent))
            try:
                os.rename(entry, aside / "damaged")
            except FileNotFoundError:
                pass
            finally:
                shutil.rmtree(aside, ignore_errors=True)
    raise FunctoryError(
        f"{entry.name} could not be put into the cache: something keeps changing there.",
        where=str(entry.parent),
        do="look for another process that writes there, or set FUNCTORY_CACHE to another folder.",
    )


def _record(folder: Path, about: dict[str, object]) -> None:
    """Sync every file, then write the record: what is there, how large, with which hash."""
    files = {}
    for path in sorted(folder.iterdir()):
        with path.open("rb+") as file:
            os.fsync(file.fileno())
        stat = path.stat()
        files[path.name] = {"size": stat.st_size, "mtime_ns": stat.st_mtime_ns, "sha256": _sha256(path)}
    _write_whole(folder / RECORD, json.dumps({**about, "files": files}, indent=1))
    _sync_folder(folder)


def _read_record(entry: Path) -> dict[str, Any] | None:  # Any: JSON, whose two used fields are checked
    try:
        record = json.loads((entry / RECORD).read_text("utf-8"))
        return record if isinstance(record, dict) and isinstance(record["files"], dict) else None
    except (OSError, ValueError, KeyError):
        return None


def _is_unchanged(path: Path, known: dict[str, Any]) -> bool:  # Any: a JSON object of the record
    try:
        stat = path.stat()
    except OSError:
        return False
    return (stat.st_size, stat.st_mtime_ns) == (known.get("size"), known.get("mtime_ns"))


def _sweep(entry: Path) -> None:
    """Remove what killed conversions of this entry left."""
    for part in entry.parent.glob(f".{entry.name}.*.part"):
        newest = max((path.stat().st_mtime for path in (part, *part.iterdir()) if path.exists()), default=0.0)
        if time.time() - newest > ABANDONED_SECONDS:
            shutil.rmtree(part, ignore_errors=True)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write_whole(path: Path, text: str) -> None:
    """Write a small file so that it is there whole or not at all."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(name, path)


def _sync_folder(folder: Path) -> None:
    """Make a rename durable; systems that cannot sync a folder do without."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


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
