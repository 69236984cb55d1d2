"""Writes a client of served functions: one module of the standard library, with the functions' types and labels.

For programs that have no functory; those that have it load the URL.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from keyword import iskeyword

from functory_remote.asking import Asking
from functory_remote.card import Card, Listed, read
from functory_remote.options import RemoteOptions
from functory_remote.place import Place
from functory_sdk import UsageError
from functory_sdk.pythontypes import Class, Field, Types, class_name, docstring, parameters, python

HEAD = "head.py.txt"
"""What every client begins with."""


def client(place: Place, options: RemoteOptions) -> str:
    """Return the source of a client of a server's functions, or of the one that a place names.

    :raises RemoteError: when the server cannot be asked.
    :raises UsageError: when a function's name is none in Python.
    """
    names = [place.name]
    if not place.name:
        names = [one.name for one in read(Listed, Asking(place, options).list(), place.server).functions]
    if not names:
        raise UsageError("no function is served there.", where=place.server, do="functory serve FOLDER.")
    places = [place.named(name) for name in names]
    return source(place, [read(Card, Asking(one, options).card(), one.url) for one in places])


def source(place: Place, cards: Sequence[Card]) -> str:
    """Return the source of a client of some functions of one server.

    :raises UsageError: when a function's name is none in Python, or two have the same there.
    """
    names = _names(cards)
    types = Types(taken=frozenset({"FunctionError", "Input", "Served", "SERVER", "TOKEN", *names, *map(class_name, names)}))
    given = [types.root(card.signature.input) for card in cards]
    inputs = {*types.classes}
    back = [types.root(card.signature.output) for card in cards]
    told = f"A client of {', '.join(names)}, served at {place.server}. Made by `functory client`; it needs Python alone."
    head = files(__package__).joinpath(HEAD).read_text("utf-8").replace("@SERVER@", python(place.server))
    lines = [docstring(told, ""), "", head]
    lines += [f"{name} = {literal}" for name, literal in types.aliases.items()]
    for made in types.classes.values():
        lines += _class(made, is_given=made.name in inputs)
    for name, card, one, other in zip(names, cards, given, back, strict=True):
        lines += _function(name, card, one, other)
    return "\n".join(lines).rstrip() + "\n"


def _names(cards: Sequence[Card]) -> list[str]:
    """Return what the functions are called in Python.

    :raises UsageError: naming what cannot be.
    """
    names = [card.name.replace("-", "_").replace(".", "_").replace("@", "_") for card in cards]
    for name, card in zip(names, cards, strict=True):
        if not name.isidentifier() or iskeyword(name) or names.count(name) > 1:
            what = f"the function {card.name!r} would be {name} in Python, which is no name, or another's."
            raise UsageError(what, do="serve it under another one: functory serve NAME=FOLDER.")
    return names


def _class(made: Class, *, is_given: bool) -> list[str]:
    """Return an object as a TypedDict: what the server gives has every field, what it is given may lack those with a default."""
    lines = ["", "", f"class {made.name}(TypedDict):"]
    if made.about:
        lines.append(docstring(made.about, "    "))
    for one in made.fields:
        kind = f"NotRequired[{one.type}]" if one.default and is_given else one.type
        lines.append(f"    {one.name}: {kind}")
        if one.about:
            lines.append(docstring(one.about, "    "))
    return lines if made.about or made.fields else [*lines, "    pass"]


def _function(name: str, card: Card, given: Class, back: Class) -> list[str]:
    """Return a function, as a class with one instance."""
    fields = {one.name: one for one in given.fields}
    shorthand = [fields[one] for one in card.signature.shorthand if one in fields]
    by_name = [one for one in given.fields if one not in shorthand]
    call = ", ".join(["self", *parameters(*([_optional(one) for one in some] for some in (shorthand, by_name)))])
    body = ", ".join(f"{python(one.name)}: {one.name}" for one in given.fields if not one.default)
    body += "".join(f", **_present({one.name}={one.name})" for one in given.fields if one.default)
    item = " | ".join(["str"] * (len(shorthand) == 1) + [given.name])
    lines = ["", "", f"class {class_name(name)}(Served):",
             docstring(f"{card.name} {card.version}: {card.summary}", "    "), "",
             f"    def __call__({call}) -> {back.name}:", docstring("Compute one output.", "        "),
             f"        return cast({python(back.name)}, self._ask({{{body}}}))", "",
             f"    def map(self, inputs: Iterable[{item}], *, batch: int = 64) -> Iterator[{back.name}]:",
             docstring("Compute many outputs, in order.", "        "),
             f"        return cast({python(f'Iterator[{back.name}]')}, self._many(inputs, batch))"]  # fmt: skip
    if card.writes:
        lines += ["", f"    def stream({call}) -> Iterator[str]:", docstring("Give the text piece by piece.", "        "),
                  f"        return self._pieces({{{body}}})"]  # fmt: skip
    return [*lines, "", "", f"{name} = {class_name(name)}({python(card.name)})"]


def _optional(field: Field) -> Field:
    """Return a field that has a default as one that may be None, and is left out then: the server knows the default."""
    if not field.default:
        return field
    kind = field.type if "None" in field.type.split(" | ") else f"{field.type} | None"
    return Field(field.name, kind, "None", field.about)
