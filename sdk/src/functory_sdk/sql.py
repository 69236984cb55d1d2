"""Functions as SQL calls them, for every database that takes functions of Python: arguments, NULL, errors that name a value.

    select id, sentiment(text) from reviews

An input's fields are the arguments, in the order of the function's shorthand; those with a default may be left out. NULL for a
field that is needed gives NULL. NAME_json gives the output's JSON, the same bytes as everywhere.
"""

from __future__ import annotations

import re
import threading
from argparse import ArgumentParser
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from functory.artefact.loading import load
from functory.contracts.cells import structure
from functory.contracts.task import Output
from functory.data.validation import listable_fields, structured_fields, takes_text
from functory.errors import FunctoryError, UsageError
from functory.function import Function
from functory.running.answers import Question, answers

NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)
JSON = "_json"
"""What the name of a function ends with that gives JSON."""
_QUOTED = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|/\*.*?\*/", re.DOTALL)
_CALLED = re.compile(r"([A-Za-z_]\w*)\s*\(", re.ASCII)
SHOWN = 60
"""Characters of a value that an error shows."""
KEPT = 8192
"""Outputs that are remembered: a query that asks for two fields of one output may call twice."""
Key = tuple[tuple[str, Any], ...]
"""What a call gives, by field. Any: texts, numbers, lists as tuples."""


class Callee:
    """One function in SQL.

    :param told: told how many rows were answered.
    :ivar required: the fields that a call gives.
    :ivar optional: those that it may give after them.
    :ivar lists: those that hold a list of texts.
    :ivar error: what the last call raised; databases tell no more of it than its text.
    """

    def __init__(self, function: Function, name: str = "", *, told: Callable[[int], object] = lambda count: None) -> None:
        self.function, self.name, self._told = function, name_of(name or function.name), told
        task = function.task
        fields = {field: task.Input.model_fields[field] for field in task.shorthand}
        self.required = tuple(field for field, info in fields.items() if info.is_required())
        self.optional = tuple(field for field in fields if field not in self.required)
        structured, listable = structured_fields(task.Input), listable_fields(task.Input)
        self.lists = {field for field in fields if field in structured and _is_list(fields[field].annotation)}
        self._read = {field for field in fields if field in structured or field in listable}
        self._texts = {field for field in self._read if takes_text(fields[field].annotation)}
        self.error: FunctoryError | None = None
        self._lock = threading.Lock()
        self._kept: OrderedDict[Key, Output] = OrderedDict()

    @property
    def fields(self) -> tuple[str, ...]:
        """What a call gives, in its order."""
        return (*self.required, *self.optional)

    def outputs(self, rows: Iterable[Sequence[Any]]) -> list[Output | None]:
        """Return the output of each row of arguments, all of them computed together; None where one is NULL that is needed. Rows
        that are alike are computed once, and not again while they are remembered.

        :param rows: the values of `fields`; those at the end may lack.
        :raises FunctoryError: for the first row that has no output, naming it by its values.
        """
        given = [self._given(row) for row in rows]
        keys = [None if one is None else _key(one) for one in given]
        with self._lock:
            found = {key: self._kept[key] for key in keys if key is not None and key in self._kept}
        every = ((key, one) for key, one in zip(keys, given, strict=True) if key is not None and one is not None)
        lacking = {key: one for key, one in every if key not in found}
        found |= self._computed(lacking)
        self._told(len(given))
        return [None if key is None else found[key] for key in keys]

    def _computed(self, lacking: dict[Key, dict[str, Any]]) -> dict[Key, Output]:
        """Return the output of what is given, and remember it."""
        try:
            questions = [self._question(number, one) for number, one in enumerate(lacking.values(), 1)]
            found = [one.output for part in answers(self.function, [questions], stops=True) for one in part]
            outputs = [one for one in found if one is not None]
        except FunctoryError as error:
            self.error = error
            raise
        made = dict(zip(lacking, outputs, strict=True))
        with self._lock:
            self._kept |= made
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return made

    def _given(self, row: Sequence[Any]) -> dict[str, Any] | None:
        """Return what a row gives, by field; None where a field that is needed is NULL."""
        given = {field: value for field, value in zip(self.fields, row, strict=False) if value is not None}
        return given if given.keys() >= set(self.required) else None

    def _question(self, number: int, given: dict[str, Any]) -> Question:
        where = f"{self.name}({', '.join(_shown(value) for value in given.values())})"
        read = {field: self._value(field, value) for field, value in given.items()}
        try:
            return Question(number, where, given, self.function.coerce(read))
        except FunctoryError as error:
            raise error.located(where) from None

    def _value(self, field: str, value: Any) -> Any:  # Any: what a database holds
        """Return a value as the field takes it: lists and objects may be written as JSON."""
        if field not in self._read or not isinstance(value, str):
            return value
        return structure(value) if field not in self._texts or value.lstrip().startswith("[") else value


def name_of(name: str) -> str:
    """Return a function's name as SQL calls it: ``my-sentiment`` is ``my_sentiment``.

    :raises UsageError: when it is none even so.
    """
    found = re.sub(r"[-.@]", "_", name)
    if NAME.fullmatch(found) is None:
        raise UsageError(f"{name!r} is no name in SQL.", do="give it another: --function NAME=FOLDER, or register(…, name=…).")
    return found


def add_functions(parser: ArgumentParser) -> None:
    """Declare which functions a query may call, besides those that it finds by its names; `opened` gives them."""
    parser.add_argument(
        "--function", "-f", action="append", default=[], metavar="NAME=FOLDER",
        help="a function that the query calls, with its folder or an installed function's name; those that lie here, or are "
        "installed, under the name that is called need no mention",
    )  # fmt: skip


def opened(query: str, named: Sequence[str], is_own: Callable[[str], bool]) -> dict[str, Function]:
    """Return the functions that a query calls, by name.

    :param named: ``NAME=FOLDER``, or a folder alone, whose function has a name.
    :param is_own: whether the database has a function of that name itself.
    :raises UsageError: when two have one name, or one is none for SQL.
    :raises ArtefactError: when a function cannot be opened.
    """
    found: dict[str, Function] = {}
    for one in named:
        name, equals, place = one.partition("=")
        function = load(place if equals else one)
        key = name_of(name if equals else function.name)
        if key in found:
            raise UsageError(f"two functions are called {key!r}.", where=one, do="give one another name: NAME=FOLDER.")
        found[key] = function
    for name in called(query):
        if name not in found and not is_own(name) and (there := _place(name)):
            found[name] = load(there)
    return found


def called(query: str) -> list[str]:
    """Return the names of the functions that a query calls, each once; that of NAME_json is NAME."""
    names = _CALLED.findall(_QUOTED.sub("''", query))
    return list(dict.fromkeys(name.removesuffix(JSON) for name in names))


def _place(name: str) -> str:
    """Return where a function of that name is: a folder here, or an installed one; nothing where there is none."""
    from functory.plugins.registry import entries

    if (Path(name) / "function.json").is_file():
        return f"./{name}"
    installed = [entry.name for entry in entries("functions") if entry.name.replace("-", "_") == name]
    return installed[0] if len(installed) == 1 else ""


def _key(given: dict[str, Any]) -> Key:
    """Return what is given as a key; 1, 1.0 and True are three values."""
    plain = ((field, tuple(value) if isinstance(value, list) else value) for field, value in given.items())
    return tuple((f"{field} {type(value).__name__}", value) for field, value in plain)


def _is_list(annotation: Any) -> bool:  # Any: a type expression
    """Return whether a type is a list of texts and nothing else, which a column of lists can hold."""
    from typing import get_args, get_origin

    from functory.contracts.plain import plain_type

    bare = plain_type(annotation)
    return get_origin(bare) in (tuple, list) and get_args(bare)[0] is str


def _shown(value: Any) -> str:  # Any: what a database holds
    told = repr(value)
    return told if len(told) <= SHOWN else f"{told[: SHOWN - 1]}…"
