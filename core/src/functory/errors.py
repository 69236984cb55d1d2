"""Every error that functory raises on purpose.

One tree, so that a program can catch as much or as little as it wants:

    FunctoryError
    ├── UsageError                 the caller asked wrongly (exit code 2)
    │   ├── UnknownComponent       no component of that kind has that name
    │   │   └── ForeignComponent   a distribution gives it that a saved function was not made with
    │   ├── AmbiguousComponent     two distributions claim the name
    │   ├── OptionError            a wrong option: the field, the value, the allowed range
    │   ├── RecipeError            a recipe that cannot be understood
    │   ├── InputError             an input that does not fit the function's Input
    │   ├── NotSupported           these parts do not go together, or cannot do that
    │   └── TooLong                a text beyond the context, where the recipe says "refuse"
    ├── DataError                  the data, not the call: file, line and column are named
    │   └── BadRows                rows that cannot be read or are no examples: the first ten, and how many
    ├── PluginError                somebody's plugin: distribution, version, file and line are named
    │   ├── PluginImportError      it raised, exited or hung while it was imported
    │   ├── PluginContractError    it is no such class, or was written for another contract
    │   └── HookError              its answer or its wrapper failed inside a step
    ├── Refused                    a plugin answered a step with a no (a licence, a policy)
    ├── WeightsMissing             a backbone or sample is installed, its weights or text are not
    ├── StorageError               the system would not read or write: a full disk, denied access, a closed stream
    ├── TrainingError              a sentinel found that training did nothing, or broke
    ├── GenerationError            decoding could not go on
    ├── ArtefactError              a folder that is not, or no longer, a function
    │   ├── ArtefactCorrupt        a hash, a size or a member is not what it must be
    │   ├── ArtefactUnsafe         a path that leaves the folder, a pickle, a file component
    │   ├── ArtefactVersion        a format version that this functory does not know
    │   └── GoldenMismatch         the golden examples come out differently here
    └── Interrupted                Ctrl-C, after everything half-written was removed

A message has three parts: what happened, where, and what to do. They are kept apart, so that the
command line, a notebook and JSON can each lay them out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from functory.wording.harmless import REPLACED, harmless
from functory.wording.kinds import one_of
from functory.wording.told import safe_text


class FunctoryError(Exception):
    """The root of the tree: what happened, where, and what to do about it.

    :param what: one sentence, naming both sides of a mismatch.
    :param where: file, line, column, plugin or hash; empty where the call itself is the place.
    :param do: the remedy: the line to type, the near name, the allowed range.
    """

    exit_code = 1
    what = where = do = ""  # a plugin's subclass may set none of them

    def __init__(self, what: str, *, where: str = "", do: str = "") -> None:
        self.what, self.where, self.do = (one if type(one) is str else safe_text(one) for one in (what, where, do))
        super().__init__(self.what)

    def __str__(self) -> str:
        return harmless("\n".join(self._lines()))

    def _lines(self) -> list[str]:
        """Return what is told, line by line, as others wrote it."""
        lines = [safe_text(self.what)]
        if self.where:
            lines.append(f"  where: {_place(self.where)}")
        if self.do:
            lines.append(f"  do:    {safe_text(self.do)}")
        return lines

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (type(self), self.__dict__.copy())

    def located(self, where: str) -> FunctoryError:
        """Return the same error, told with a place, where it had none."""
        if not self.where:
            self.where = where
        return self

    def as_json(self) -> dict[str, Any]:  # Any: JSON; texts but where a subclass says more
        """Return the parts as `--json` prints them."""
        parts = {"error": type(self).__name__, "what": self.what, "where": self.where, "do": self.do}
        parts = {key: safe_text(value) for key, value in parts.items()}
        return {key: value for key, value in parts.items() if value}


def add_remedy(error: BaseException, more: str) -> None:
    """Let an error say what to do besides, whichever way it is told: one of this tree, Ctrl-C, or anybody's."""
    if isinstance(error, FunctoryError):
        error.do = f"{error.do} {more}".strip()
    elif isinstance(error, KeyboardInterrupt):
        error.args = (*error.args, more)
    else:
        error.add_note(more)


def _place(where: object) -> str:
    """Return a place as one line: a name that holds an end of line must not look like a remedy."""
    return safe_text(where).replace("\n", REPLACED).replace("\r", REPLACED)


def _rebuild(kind: type[FunctoryError], attributes: dict[str, object]) -> FunctoryError:
    """Unpickle an error whose subclass takes other arguments (errors cross process borders)."""
    error = kind.__new__(kind)
    Exception.__init__(error, attributes["what"])
    error.__dict__.update(attributes)
    return error


def from_json(parts: Mapping[str, Any]) -> FunctoryError | None:  # Any: JSON
    """Return the error that `as_json` told, in another process: of its class, or of the nearest above it that needs no more than
    what, where and do. None for what is no error of this tree.

    :param parts: ``error``, ``what``, and perhaps ``where`` and ``do``.
    """
    kind = globals().get(str(parts.get("error", "")))
    if not (isinstance(kind, type) and issubclass(kind, FunctoryError)):
        return None
    what, where, do = (str(parts.get(name, "")) for name in ("what", "where", "do"))
    for one in kind.__mro__:
        with suppress(TypeError):
            made: FunctoryError = one(what, where=where, do=do)
            return made
    return None


class UsageError(FunctoryError):
    """The caller asked wrongly; nothing was done."""

    exit_code = 2


class UnknownComponent(UsageError):
    """No component of that kind has that name.

    :param kind: the kind, as in the entry-point group: ``adaptations``.
    :param name: the name asked for.
    :param installed: the names that this environment has.
    :param known: names that are not installed, with the distribution that brings each.
    """

    def __init__(
        self,
        kind: str,
        name: str,
        installed: Iterable[str],
        known: Mapping[str, str] | None = None,
        *,
        where: str = "",
    ) -> None:
        from difflib import get_close_matches

        known = dict(known or {})
        have = sorted(installed)
        remedies = []
        near = get_close_matches(name, dict.fromkeys([*have, *known]), n=2, cutoff=0.6)
        if name in known:
            remedies.append(f"it comes with {known[name]}: pip install {known[name]}")
        elif near:
            remedies.append("did you mean " + " or ".join(repr(other) for other in near) + "?")
        remedies.append(f"Installed: {', '.join(have) or 'none'}.")
        absent = {other: dist for other, dist in known.items() if other not in have and other != name}
        if absent:
            listed = ", ".join(f"{other} (pip install {dist})" for other, dist in sorted(absent.items()))
            remedies.append(f"Known but not installed: {listed}.")
        super().__init__(f"there is no {one_of(kind)} named {name!r}.", where=where, do=" ".join(remedies))
        self.kind, self.name = kind, name


class ForeignComponent(UnknownComponent):
    """The distribution that a saved function's component came with is not installed, and others give its name.

    :param kind: the kind, as in the entry-point group.
    :param name: the name.
    :param distribution: the one that it came with.
    :param owners: those that give the name here.
    """

    def __init__(self, kind: str, name: str, distribution: str, owners: Iterable[str], *, where: str = "") -> None:
        one, others = one_of(kind), " and ".join(filter(None, sorted(owners))) or "this process"
        FunctoryError.__init__(
            self,
            f"the function was made with the {one} {name!r} of {distribution}, which is not installed; "
            f"here {others} gives that name.",
            where=where,
            do=f"pip install {distribution}; or build the function again with what is installed here.",
        )
        self.kind, self.name = kind, name


class AmbiguousComponent(UsageError):
    """Two distributions claim the same name of one kind.

    :param kind: the kind, as in the entry-point group.
    :param name: the name that is claimed twice.
    :param distributions: who claims it.
    """

    def __init__(self, kind: str, name: str, distributions: Iterable[str], *, where: str = "") -> None:
        claims = sorted(distributions)
        super().__init__(
            f"{len(claims)} distributions give {kind} a {name!r}: {', '.join(claims)}.",
            where=where,
            do="say which: " + " or ".join(f"{dist}:{name}" for dist in claims) + "; or uninstall one.",
        )
        self.kind, self.name = kind, name


class OptionError(UsageError):
    """An option that is unknown, of the wrong type or out of range.

    :param field: the option's name, where it is known: it finds the line of a recipe.
    """

    def __init__(self, what: str, *, where: str = "", do: str = "", field: str = "") -> None:
        super().__init__(what, where=where, do=do)
        self.field = field


class RecipeError(UsageError):
    """A recipe that cannot be understood; `where` names file, line and key."""


class InputError(UsageError):
    """An input that does not fit the function's Input."""


class NotSupported(UsageError):
    """These parts do not go together, or this one cannot do what was asked."""


class TooLong(UsageError):
    """A text longer than the backbone's context, in a function built to refuse such texts."""


class DataError(FunctoryError):
    """A fault in the data; `where` names file, line and column."""


class BadRows(DataError):
    """Rows that cannot be read, or are no examples.

    :param rows: the first of them: where, what, do.
    :param count: how many there are.
    """

    def __init__(
        self, what: str, *, where: str = "", do: str = "", rows: Sequence[Mapping[str, str]] = (), count: int = 0
    ) -> None:
        super().__init__(what, where=where, do=do)
        self.rows, self.count = [dict(row) for row in rows], count

    def _lines(self) -> list[str]:
        if len(self.rows) < 2:
            return super()._lines()
        more = [f"         … and {self.count - len(self.rows):,} more"] if self.count > len(self.rows) else []
        others = [f"         {row['where']}: {row['what']}" for row in self.rows[1:]]
        first, *rest = [self.what, f"  where: {self.where}", *others, *more]
        return [first, *rest, f"  do:    {self.do}"]

    def as_json(self) -> dict[str, Any]:
        rows = [{key: value for key, value in row.items() if value} for row in self.rows]
        return {**super().as_json(), "rows": rows, "count": self.count}


class PluginError(FunctoryError):
    """A fault in somebody's plugin; nothing else is touched by it."""

    diagnosis: str = ""
    """One word for what is wrong with it, for programs: ``raises``, ``abstract`` …"""


class PluginImportError(PluginError):
    """A plugin raised, exited or hung while it was imported."""


class PluginContractError(PluginError):
    """A plugin's component is no class of its kind, or was written for another contract version."""


class HookError(PluginError):
    """A hook plugin's answer or wrapper failed inside a step."""


class Refused(FunctoryError):
    """A plugin answered a step with a no: a licence that is not allowed, a policy."""


class WeightsMissing(FunctoryError):
    """Weights or text that a component needs are not on this machine; `do` is the line that brings them."""


class StorageError(FunctoryError):
    """The system would not read or write a file: a full disk, denied access, a name that is too long, a closed stream.

    :param errno: the system's own number of what happened, as in `errno`; 0 where it gave none.
    """

    def __init__(self, what: str, *, where: str = "", do: str = "", errno: int = 0) -> None:
        super().__init__(what, where=where, do=do)
        self.errno = errno


class TrainingError(FunctoryError):
    """Training broke, or a sentinel found that it did nothing."""


class GenerationError(FunctoryError):
    """A generation could not go on."""


class ArtefactError(FunctoryError):
    """A folder that is not, or no longer, a function."""


class ArtefactCorrupt(ArtefactError):
    """A hash or size is not what the manifest, its digest or the caller says, or a member is missing or extra."""


class ArtefactUnsafe(ArtefactError):
    """A manifest that names a path outside its folder, a pickle, or a component in a file."""


class ArtefactVersion(ArtefactError):
    """A format version that this functory does not know."""


class GoldenMismatch(ArtefactError):
    """The golden examples come out differently here than where the function was made."""


class Interrupted(FunctoryError):
    """Ctrl-C; everything half-written was removed."""

    exit_code = 130
