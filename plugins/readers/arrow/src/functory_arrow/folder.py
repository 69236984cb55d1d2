"""Folders that `Dataset.save_to_disk` wrote."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

from functory_arrow.batches import features_of, rows
from functory_arrow.files import opened
from functory_sdk import DataError, DataFile, DataReader, Fault, NoOptions, Recognition, Record, message_of

_STATE, _INFO, _DICT = "state.json", "dataset_info.json", "dataset_dict.json"


class DatasetFolder(DataReader[NoOptions]):
    """Folders that `Dataset.save_to_disk` wrote; class numbers become their names."""

    examples: ClassVar[tuple[str, ...]] = ("functory evaluate sentiment --data saved/test",)

    def recognise(self, file: DataFile) -> Recognition:
        """By the state of a data set, or by the list of its splits."""
        is_own = (file.path / _STATE).is_file() or (file.path / _DICT).is_file()
        return "certain" if file.is_folder and is_own else "no"

    def read(self, file: DataFile) -> Iterator[Record | Fault]:
        folder, start = file.path, 0
        if not (folder / _STATE).is_file():
            splits = _json(folder / _DICT).get("splits", [])
            raise DataError(
                f"the folder holds the splits {', '.join(map(str, splits)) or 'none'}.",
                where=str(folder), do=f"give one of them: {shlex.quote(str(folder / str(splits[0] if splits else 'train')))}.",
            )  # fmt: skip
        declared = _json(folder / _INFO).get("features") if (folder / _INFO).is_file() else None
        for path in _files(folder):
            with path.open("rb") as source:
                is_file = source.read(6) == b"ARROW1"
                source.seek(0)
                schema, batches = opened(source, path.name, is_file=is_file)
                features = declared if isinstance(declared, Mapping) else features_of(schema)
                for row in rows(batches, schema, file.name, features, start):
                    start += 1
                    yield row


def _files(folder: Path) -> list[Path]:
    """Return the files of a data set, in their order.

    :raises DataError: when one is missing, or lies outside of the folder.
    """
    listed = _json(folder / _STATE).get("_data_files")
    names = [entry.get("filename") for entry in listed if isinstance(entry, Mapping)] if isinstance(listed, list) else []
    if not names:
        raise DataError(f"{_STATE} names no files.", where=str(folder), do="save the data set anew.")
    paths = [folder / name for name in names if isinstance(name, str) and Path(name).name == name]
    missing = [name for name in names if not isinstance(name, str) or not (folder / name).is_file()]
    if missing or len(paths) < len(names):
        what = f"the file {(missing or names)[0]!r} of the data set is not in its folder"
        raise DataError(f"{what}.", where=str(folder), do="copy the folder whole, or save the data set anew.")
    return paths


def _json(path: Path) -> Mapping[str, Any]:
    """Return a JSON object.

    :raises DataError: when the file holds none.
    """
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        what = f"{path.name} cannot be read: {message_of(error)}."
        raise DataError(what, where=str(path), do="save the data set anew.") from error
    if not isinstance(found, Mapping):
        raise DataError(f"{path.name} is no JSON object.", where=str(path), do="save the data set anew.")
    return found
