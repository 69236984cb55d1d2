"""The recipe: what a function is built from, as keyword arguments or as TOML, checked before anything runs.

    task = "text-classification"
    train = "reviews.csv"

    [backbone]
    name = "minilm"

    [adaptation]
    name = "lora"
    rank = 8

A part is a name, or a table with a name and that component's options.
"""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError, ValidationInfo, field_validator

from functory.contracts.component import Part, option_error
from functory.errors import FunctoryError, OptionError, RecipeError
from functory.hooks.naming import name_of
from functory.machine.storage import is_there, meaning
from functory.machine.written import read_written
from functory.plugins.references import is_file, split_file
from functory.plugins.registry import load, load_file
from functory.reading.reader import LongText
from functory.wording.harmless import is_showable
from functory.wording.told import kind


class Recipe(BaseModel):
    """From what a function is built. Every random choice follows from `seed`."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    task: Part = Field(description="What is to be computed.")
    backbone: Part | None = Field(None, description="The pretrained model; the one that suits the task if not given.")
    adaptation: Part | None = Field(
        None, description="How it is fitted; as suits the task, with training data or without, if not given."
    )
    put: str = Field(
        "",
        description="How the task is put to the backbone: features, vectors, plain, prompt; the adaptation's best if not given.",
    )
    engine: Part = Field(Part(name="torch"), description="What trains it, and runs its torch form.")
    train: Any = Field(None, description="Training data: files, a pattern, a sample, an iterable of dicts, a data set.")
    dev: Any = Field(None, description="Data for choices while training; split from the training data if not given.")
    test: Any = Field(None, description="Data for the report; split from the training data if not given.")
    dev_share: float = Field(0.1, ge=0, lt=0.9, description="The share of the training data split off as dev.")
    test_share: float = Field(0.1, ge=0, lt=0.9, description="The share of the training data split off as test.")
    untouched: Any = Field(
        None,
        description="Rows that training uses for nothing: scores are calibrated, and promises made, on them; split from the "
        "training data if not given.",
    )
    untouched_share: float | None = Field(
        None, ge=0, lt=0.9,
        description="The share of the training data split off as untouched; if not given 0.2 where something is promised, else "
        "0.05, of 1,000 rows and more.",
    )
    abstain_at: float | None = Field(
        None, gt=0, lt=1,
        description="Decline to answer where the function is not sure enough, so that at most this share of its answers is "
        "wrong: a promise with 95 % confidence (Geifman and El-Yaniv 2017), made on untouched rows.",
    )
    sets_at: float | None = Field(
        None, gt=0, lt=1,
        description="Give a set of labels with each answer, of which at most this share lack the right one (split conformal "
        "prediction), made on untouched rows.",
    )
    columns: dict[str, str | tuple[str, ...]] = Field(
        {}, description="Which column holds which field: {text = 'review'}; or which several: {label = ['red', 'car']}."
    )
    format: Part | None = Field(
        None, description="Which reader reads the files, with its options; found out by their names and first bytes."
    )
    encoding: str = Field("", description="The files' encoding, where their bytes do not tell; UTF-8 when empty.")
    on_bad_row: Literal["stop", "skip"] = Field("stop", description="Stop at a bad row, or skip and count it.")
    long_text: LongText = Field("window", description="Texts beyond the context: read in windows, cut, or refuse.")
    max_tokens: int = Field(0, ge=0, description="The longest row, in tokens; the backbone's context when 0.")
    seed: int = Field(0, ge=0, lt=2**32, description="Governs everything random.")
    limit: int = Field(0, ge=0, description="Keep so many training examples at most, each label by its share; all when 0.")
    session: dict[str, Any] = Field({}, description="Threads, device, precision and batch budget: {threads = 2}.")
    hooks: tuple[Any, ...] = Field(
        (), description="Hook plugins that take part, in order: names, or {name = 'tensorboard', folder = 'logs'}."
    )
    golden: Any = Field((), description="Inputs that are replayed wherever the function is loaded, as `map` takes them.")
    name: str = Field("", description="The function's name; the task's when empty.")
    version: str = Field("0.1.0", description="The function's version.")
    licence: str = Field("", description="The function's licence, SPDX.")
    _file: tuple[str, str] = PrivateAttr(("", ""))
    """The name and the text of the file that it was read from; empty for recipes from Python."""

    @field_validator("task", "backbone", "adaptation", "engine", "format", mode="before")
    @classmethod
    def _named(cls, value: Any, info: ValidationInfo) -> Any:
        """A name alone, or a table that holds the name among the options; without one it is the default's."""
        if isinstance(value, str) or (isinstance(value, Mapping) and "options" not in value):
            return Part.of(value, {"engine": "torch"}.get(info.field_name or "", ""))
        return value

    @field_validator("hooks", mode="before")
    @classmethod
    def _hooks(cls, value: Any) -> Any:
        """Names, tables of a name and options, and plugin objects (from Python), in one list."""
        given = [value] if isinstance(value, str | Mapping | Part) else value
        if not isinstance(given, list | tuple):
            raise ValueError(f"hooks is a list of hook plugins, and no {kind(given)}")
        hooks = [Part.of(hook) if isinstance(hook, Mapping) else hook for hook in given]
        if any(isinstance(hook, Part) and not hook.name for hook in hooks):
            raise ValueError("a table of a hook's options must have its name: {name = 'tensorboard', folder = 'logs'}")
        return hooks

    @field_validator("name", "version", "licence")
    @classmethod
    def _shown(cls, value: str) -> str:
        """What is shown wherever the function is."""
        if not is_showable(value):
            raise ValueError("it holds a character that cannot be shown")
        return value

    @classmethod
    def make(cls, source: Recipe | Path | str | Mapping[str, Any] | None = None, **changes: Any) -> Recipe:
        """Return a recipe from a file, a mapping or keyword arguments; the latter win.

        :param source: a recipe, a TOML file's path, or a mapping.
        :param changes: fields by name; ``None`` leaves the field as it was.
        :raises RecipeError: naming file, line and key.
        """
        where, text = "", ""
        if isinstance(source, Recipe):
            where, text = source._file
            fields = {name: getattr(source, name) for name in source.model_fields_set}
        elif isinstance(source, str | Path):
            where = str(source)
            fields, text = read_toml(Path(source))
        else:
            fields = dict(source or {})
        fields |= {name: value for name, value in changes.items() if value is not None}
        named = fields.get("task")
        if not named or (isinstance(named, Mapping) and not named.get("name")):
            raise _taskless(fields, where, text)
        fields = _with_task_options(fields)
        try:
            made = cls.model_validate(fields)
        except ValidationError as error:
            key = str(error.errors()[0]["loc"][0]) if error.errors()[0]["loc"] else ""
            fault = option_error("the recipe", cls, error, place(where, text, key))
            raise RecipeError(fault.what, where=fault.where, do=fault.do) from None
        made._file = (where, text)
        return made

    def where(self, part: str, option: str = "") -> str:
        """Return where the file names a part or one of its options: ``recipe.toml, line 7, [adaptation] rank``.

        :param part: ``task``, ``backbone``, ``adaptation`` …
        :param option: one of its options; its name when empty.
        :return: empty where no file has it: it was given by keyword, or on the command line.
        """
        file, text = self._file
        in_table = place(file, text, option or "name", part)
        found = in_table if ", line " in in_table or option else place(file, text, part)
        line = re.search(r", line (\d+),", found)
        sought = option or getattr(getattr(self, part), "name", part).rpartition("/")[2]
        return found if line and sought in text.splitlines()[int(line[1]) - 1] else ""

    def as_json(self) -> dict[str, Any]:
        """Return the recipe as it is kept in a manifest: what was set, data by name only."""
        data = self.model_dump(mode="json", exclude={"train", "dev", "test", "untouched", "hooks", "golden"}, exclude_unset=True)
        for side in ("train", "dev", "test", "untouched"):
            source = getattr(self, side)
            if source is not None:
                data[side] = [_name(one) for one in source] if _are_paths(source) else _name(source)
        for part in ("task", "backbone", "adaptation", "engine", "format"):
            if part in data and data[part] and is_file(data[part]["name"]):  # where it lay is the maker's matter
                data[part]["name"] = Path(data[part]["name"]).name
        data["hooks"] = [name_of(hook) for hook in self.hooks]  # options, folders and addresses, are the maker's
        return data


def _with_task_options(fields: dict[str, Any]) -> dict[str, Any]:
    """Return a recipe's fields, those that are the task's options and no fields among its options: ``questions=Ticket``."""
    strange = {name for name in fields if name not in Recipe.model_fields}
    if not strange:
        return fields
    part = Part.of(fields["task"])
    try:
        own = (load_file(part.name, "tasks") if is_file(part.name) else load("tasks", part.name)).Options.model_fields
    except FunctoryError:  # the build names it, with its place
        return fields
    told = {name: fields[name] for name in strange if name in own}
    kept = {name: value for name, value in fields.items() if name not in told}
    return {**kept, "task": Part(name=part.name, options={**part.options, **told})}


def _taskless(fields: Mapping[str, Any], where: str, text: str) -> RecipeError:
    """Return the error of a recipe without a task, which may have it under a name that is nearly right."""
    from difflib import get_close_matches

    [near, *_] = [*get_close_matches("task", [key for key in fields if key not in Recipe.model_fields], n=1), ""]
    if near:
        return RecipeError(
            f"the recipe has no option {near!r}, and names no task.", where=place(where, text, near), do="did you mean 'task'?"
        )
    return RecipeError(
        "the recipe names no task.",
        where=where,
        do="say what is to be computed: task = 'text-classification'; see docs/recipes.md.",
    )


def _name(source: Any) -> str:
    """Return the name of data: a file's without its folder, a sample's whole."""
    if isinstance(source, str | Path):
        return str(source) if ":" in str(source) else Path(source).name
    return f"<{type(source).__name__}>"


def _are_paths(source: Any) -> bool:
    return isinstance(source, list | tuple) and all(isinstance(one, str | Path) for one in source)


def read_toml(path: Path) -> tuple[dict[str, Any], str]:
    """Return a recipe file's fields and its text. Paths in it are relative to its folder.

    :raises RecipeError: when there is no such file, or it is no TOML; naming line and column.
    """
    try:
        text = read_written(path)
    except (OSError, ValueError) as error:
        raise RecipeError(
            f"the recipe cannot be read: {meaning(error)}.", where=str(path), do="check the path; a recipe is UTF-8."
        ) from None
    try:
        fields = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        found = re.search(r"line (\d+), column (\d+)", str(error))
        spot = f", line {found[1]}, column {found[2]}" if found else ""
        raise RecipeError(
            f"the recipe is no TOML: {error}", where=f"{path}{spot}", do="see docs/recipes.md for what a recipe looks like."
        ) from None
    for side in ("train", "dev", "test", "untouched"):
        source = fields.get(side)
        if isinstance(source, str):
            fields[side] = _placed(path.parent, source)
        elif isinstance(source, list) and _are_paths(source):
            fields[side] = [_placed(path.parent, one) for one in source]
    for part in ("task", "backbone", "adaptation", "engine", "format"):
        named = fields.get(part)
        if isinstance(named, str):
            fields[part] = _beside(path, named)
        elif isinstance(named, dict) and isinstance(named.get("name"), str):
            named["name"] = _beside(path, named["name"])
    return fields, text


def _placed(folder: Path, source: str) -> str:
    """Return a file or a pattern as seen from a recipe's folder, where it is there."""
    import glob

    beside = folder / source
    is_found = is_there(beside) or (glob.has_magic(source) and glob.glob(str(beside), recursive=True))  # noqa: PTH207
    return str(beside) if is_found else source


def _beside(path: Path, name: str) -> str:
    """Return a part's name; that of a component in a file with the file's place, seen from the recipe's folder."""
    if not is_file(name):
        return name
    file, attribute = split_file(name)
    return f"{os.path.realpath(path.parent / Path(file).expanduser())}:{attribute}"


def place(where: str, text: str, key: str, table: str = "") -> str:
    """Return where a key stands in a recipe file: ``recipe.toml, line 7, [adaptation] rank``.

    :param where: the file's name; empty for recipes from Python.
    """
    if not where:
        return ""
    current, label = "", f"[{table}] {key}" if table else key
    for number, line in enumerate(text.splitlines(), 1):
        header = re.match(r"\s*\[([^\[\]]+)\]", line)
        if header:
            current = header[1].strip()
        if (current == table and re.match(rf"\s*{re.escape(key)}\s*=", line)) or (
            current == key and header and not table
        ):
            return f"{where}, line {number}, {label}"
    return f"{where}, {label}"


def set_option(fields: dict[str, Any], assignment: str) -> None:
    """Apply ``adaptation.rank=8`` or ``seed=3`` to the fields of a recipe; values are read as TOML where they can be.

    :raises OptionError: when it is no assignment.
    """
    name, equals, value = assignment.partition("=")
    if not equals or not name.strip():
        raise OptionError(f"{assignment!r} is no assignment.", do="write --set adaptation.rank=8.")
    part, dot, option = name.strip().partition(".")
    if not dot:
        fields[part] = _value(value)
        return
    if part == "hooks":
        fields["hooks"] = _with_hook_option(fields.get("hooks") or (), option, _value(value))
        return
    current = fields.get(part) or {}
    table = {"name": current} if isinstance(current, str) else dict(current)
    table[option] = _value(value)
    fields[part] = table


def _with_hook_option(hooks: Any, assigned: str, value: Any) -> list[Any]:
    """Return hooks with one more option; one that was not among them takes part from now on.

    :param assigned: the hook plugin and its option: ``tensorboard.folder``.
    :raises OptionError: when no option is named.
    """
    name, dot, option = assigned.partition(".")
    if not dot or not name or not option:
        raise OptionError(f"hooks.{assigned} names no option of a hook.", do="write --set hooks.tensorboard.folder=logs.")
    listed = list(hooks)
    for place, hook in enumerate(listed):
        table = {"name": hook} if isinstance(hook, str) else hook
        if isinstance(table, dict) and table.get("name") == name:
            return [*listed[:place], {**table, option: value}, *listed[place + 1 :]]
    return [*listed, {"name": name, option: value}]


def _value(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except (tomllib.TOMLDecodeError, RecursionError):
        pass
    if text.lstrip().startswith(("{", "[")):  # JSON, in which a schema is written
        with suppress(ValueError, RecursionError):
            return json.loads(text)
    return text.split(",") if "," in text.strip(",") else text
