"""What every component is: a named thing with options, that a plugin contributes.

Apart from the kinds, because discovery, `functory info` and the conformance suites treat all kinds alike.
"""

from __future__ import annotations

from abc import ABC
from collections.abc import Mapping
from typing import Any, ClassVar, Generic, Self, TypeVar, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, PydanticUserError, ValidationError, field_validator

from functory.errors import OptionError
from functory.machine.boundary import complaint as complaint
from functory.machine.distributions import CONTRACT as CONTRACT
from functory.machine.shield import shield
from functory.wording.kinds import one_of
from functory.wording.told import cut

SHOWN = 200
"""Characters of a value that an error shows."""

shield()  # before the first model, at which pydantic reads the metadata of every distribution


class Options(BaseModel):
    """The options of a component: typed, described once in their fields, with ranges, immutable.

    Help texts, JSON Schemas, recipe errors and the docs are read from here. A field's range for a
    search (`json_schema_extra={"search": …}`) stands here too.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())


class Part(BaseModel):
    """A component and its options, as recipes and manifests name them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(default="", description="Empty where a recipe gives only options of the default.")
    options: dict[str, Any] = {}

    @field_validator("options", mode="before")
    @classmethod
    def _plain(cls, options: Any) -> Any:  # Any: what a recipe says
        """A pydantic model, which Python alone can say, is kept as its JSON Schema: all that a recipe says is plain data."""
        if not isinstance(options, Mapping):
            return options
        return {name: schema_of(value) for name, value in options.items()}

    @classmethod
    def of(cls, named: str | Mapping[str, Any] | Part, default: str = "") -> Part:
        """Return a name alone, or a table that holds the name among the options, as a part.

        :param default: the name where a table has none.
        """
        if isinstance(named, Part):
            return named
        options = {"name": named} if isinstance(named, str) else dict(named)
        return cls(name=options.pop("name", default), options=options)


M = TypeVar("M", bound=BaseModel)
O = TypeVar("O", bound=Options, covariant=True)  # noqa: E741 - the paper letter of this contract


def schema_of(value: Any) -> Any:  # Any: what an option is given
    """Return the JSON Schema of a pydantic model, and anything else as it is.

    :raises OptionError: for a model that has none.
    """
    if not (isinstance(value, type) and issubclass(value, BaseModel)):
        return value
    try:
        return value.model_json_schema()
    except PydanticUserError as error:
        what = f"the model {value.__name__} has no JSON Schema: {str(error).splitlines()[0].rstrip('.')}."
        raise OptionError(what, do="define it, at the top of a module, of types that JSON has.") from error


class NoOptions(Options):
    """A component that needs no options."""


class Component(ABC, Generic[O]):
    """A thing with a name. Subclasses name their options: ``class LoRA(Adaptation[LoRAOptions])``.

    The entry point's name is the component's name; `name` is set when the component is found.

    :param options: the validated options; defaults where none are given.
    """

    kind: ClassVar[str]
    """The last word of the entry-point group: ``adaptations``."""
    name: ClassVar[str] = ""
    """The entry point's name; set by the loader."""
    paper: ClassVar[str] = ""
    """The source, as a reference: ``Hu et al. 2021, LoRA (arXiv 2106.09685)``; empty where there is none."""
    examples: ClassVar[tuple[str, ...]] = ()
    """Lines that a user can type, shown by `functory info`."""
    Options: ClassVar[type[Options]] = NoOptions
    """The option model; found from the generic argument when not set."""

    options: O

    def __init_subclass__(cls, **kwargs: Any) -> None:  # Any: passed on to the next class
        super().__init_subclass__(**kwargs)
        if "Options" in cls.__dict__:
            return
        for base in getattr(cls, "__orig_bases__", ()):
            for argument in get_args(base) if isinstance(get_origin(base), type) else ():
                if isinstance(argument, type) and issubclass(argument, Options):
                    cls.Options = argument

    def __init__(self, options: O | None = None) -> None:
        self.options = options if options is not None else type(self).Options()  # type: ignore[assignment]

    @classmethod
    def summary(cls) -> str:
        """Return the first sentence of the docstring."""
        return (cls.__doc__ or "").strip().split("\n\n")[0].replace("\n", " ").strip()

    @classmethod
    def configure(cls, options: dict[str, Any] | None = None, *, where: str = "") -> Self:
        """Return a component made from plain options, as a recipe or a manifest gives them.

        :param options: names and values; missing ones take their defaults.
        :param where: the place to name in the error, such as ``recipe.toml, line 7``.
        :raises OptionError: for an unknown option, a wrong type or a value out of range.
        """
        owner = f"{one_of(cls.kind)} {cls.name or cls.__name__!r}"
        return cls(read_options(cls.Options, options or {}, owner, where))  # type: ignore[arg-type]  # it is O by construction


def read_options(model: type[M], given: Mapping[str, Any], owner: str, where: str = "") -> M:
    """Return options that were given as plain data.

    :param owner: who has the options, and `where` the place they were given at, as `option_error` tells them.
    :raises OptionError: for an unknown option, a wrong type or a value out of range.
    """
    try:
        return model.model_validate(given)
    except ValidationError as error:
        raise option_error(owner, model, error, where) from None  # ours says all that pydantic's says


def option_error(owner: str, model: type[BaseModel], error: ValidationError, where: str = "") -> OptionError:
    """Turn pydantic's error into ours: the field, the value, what is allowed.

    :param owner: who has the options: ``adaptation 'lora'``.
    :param model: the option model, asked for the allowed range.
    :param error: what pydantic found; its first fault is told, the number of others is said.
    """
    from difflib import get_close_matches

    fault = error.errors()[0]
    field = ".".join(str(part) for part in fault["loc"]) or "options"
    name = str(fault["loc"][0]) if fault["loc"] else ""
    known = list(model.model_fields)
    if fault["type"] == "extra_forbidden":
        near = get_close_matches(field, known, n=1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        return OptionError(
            f"{owner} has no option {field!r}.",
            where=where,
            do=f"{hint}Its options: {', '.join(known) or 'none'}.",
            field=name,
        )
    message = fault["msg"].removeprefix("Value error, ")
    allowed = describe_range(model, name) if name else ""
    more = f" ({error.error_count() - 1} more like this)" if error.error_count() > 1 else ""
    return OptionError(
        f"{owner}: {field} = {cut(repr(fault['input']), SHOWN)} is not allowed: {message[0].lower()}{message[1:]}{more}.",
        where=where,
        do=f"{field} is {allowed}." if allowed else "see `functory info` for the options.",
        field=name,
    )


def describe_range(model: type[BaseModel], field: str) -> str:
    """Return what a field allows, in words: ``a number from 0 to 1, by default 0.1``."""
    schema = model.model_json_schema().get("properties", {}).get(field, {})
    parts = []
    branches = schema.get("anyOf", [schema])
    words = {"number": "a number", "integer": "a whole number", "string": "a text", "boolean": "true or false"}
    for branch in branches:
        if "enum" in branch:
            parts.append("one of " + ", ".join(map(repr, branch["enum"])))
        elif "const" in branch:
            parts.append(repr(branch["const"]))
        elif branch.get("type") == "null":
            parts.append("nothing")
        elif branch.get("type") == "array":
            parts.append("a list")
        elif "$ref" in branch:
            parts.append("a table")
        elif "type" in branch:
            parts.append(words.get(branch["type"], branch["type"]) + _bounds(branch))
    text = " or ".join(parts)
    if "default" in schema:
        text += f", by default {schema['default']!r}"
    return text


def _bounds(branch: dict[str, Any]) -> str:
    """Return the limits of a JSON Schema branch in words."""
    low = branch.get("minimum", branch.get("exclusiveMinimum"))
    high = branch.get("maximum", branch.get("exclusiveMaximum"))
    above = " above" if "exclusiveMinimum" in branch else " from"
    below = " below" if "exclusiveMaximum" in branch else " to"
    return (f"{above} {low}" if low is not None else "") + (f"{below} {high}" if high is not None else "")
