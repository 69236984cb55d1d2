"""Which reader reads a file: the one that is named, or the one that recognises it; never a guess between two."""

from __future__ import annotations

from typing import Any

from functory.contracts.component import Part
from functory.contracts.reader import DataReader
from functory.data.files import DataFile
from functory.data.foreign import brought_by, foreign
from functory.errors import DataError, PluginError
from functory.plugins.registry import entries, is_file, known, load, load_file

AnyReader = DataReader[Any]  # Any: each has options of its own


def reader_of(file: DataFile, part: Part) -> AnyReader:
    """Return the reader of a file, with its options.

    :param part: the reader's name, where the user named one, and its options.
    :raises DataError: when no reader takes the file, or two are equally sure; saying what it is, where that is known.
    :raises UnknownComponent: when there is no reader of that name.
    :raises OptionError: for an option that the reader has not.
    """
    if part.name:
        found = load_file(part.name, "readers") if is_file(part.name) else load("readers", part.name)
    else:
        found = _recognised(file, part)
    made: AnyReader = found.configure(part.options)
    return made


def _recognised(file: DataFile, part: Part) -> type[AnyReader]:
    """Return the one reader that is the surest; where two formats share an ending, the one that has the options."""
    answers: dict[str, list[type[AnyReader]]] = {"certain": [], "fits": [], "no": []}
    broken: list[PluginError] = []
    for entry in entries("readers"):
        try:
            reader = load("readers", entry.qualified if entry.distribution else entry.name)
        except PluginError as error:  # it reads nothing, and keeps no other from reading
            broken.append(error)
            continue
        answers[reader().recognise(file)].append(reader)
    if not answers["certain"] and (none := _known_to_be_none(file)):
        raise none
    surest = answers["certain"] or answers["fits"]
    if surest and not any(_has(reader, part) for reader in surest):
        surest = [reader for reader in answers["no"] if file.ending in reader.endings and _has(reader, part)] or surest
    if len(surest) > 1:
        raise _ambiguous(file, surest)
    if not surest:
        raise _unknown(file, answers["no"], broken)
    return surest[0]


def _has(reader: type[AnyReader], part: Part) -> bool:
    """Return whether a reader has the options that the user gives."""
    return part.options.keys() <= reader.Options.model_fields.keys()


def _ambiguous(file: DataFile, readers: list[type[AnyReader]]) -> DataError:
    names = sorted(reader.name for reader in readers)
    return DataError(
        f"the file may be read as {' or as '.join(names)}.",
        where=str(file.path),
        do="say which: " + " or ".join(f"--format {name}" for name in names) + f" (format={names[0]!r}).",
    )


def _known_to_be_none(file: DataFile) -> DataError | None:
    """Return the error of a file that is no text by its first bytes, whatever its name says; it says what it is."""
    brought = brought_by(file.head)
    if brought is None:
        return foreign(file.path, file.head)
    name, what = brought
    do = f"pip install {known().get('readers', {}).get(name, f'functory-{name}')}"
    return DataError(f"the file is {what}, and no reader for it is installed.", where=str(file.path), do=do)


def _unknown(file: DataFile, readers: list[type[AnyReader]], broken: list[PluginError]) -> DataError:
    """Return the error of a file that no reader takes."""
    if file.is_folder:
        file.stream()  # says that it is a folder
    endings = sorted({ending for reader in readers for ending in reader.endings})
    names = ", ".join(sorted(reader.name for reader in readers))
    more = f" A plugin is broken that may read it: {broken[0].what}" if broken else ""
    return DataError(
        f"the name {file.name!r} does not tell a format, and the content none either.",
        where=str(file.path),
        do=f"say which: --format NAME ({names}); or name it {', '.join(endings)}.{more}",
    )
