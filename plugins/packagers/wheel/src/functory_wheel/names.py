"""What a function is called once it is installed, and which names are refused."""

from __future__ import annotations

import keyword
import sys
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution, packages_distributions

from packaging.utils import InvalidName, canonicalize_name
from packaging.version import InvalidVersion, Version

from functory_sdk import UsageError


@dataclass(frozen=True)
class Names:
    """One function's names.

    :param distribution: what pip installs and functory finds: ``my-sentiment``.
    :param module: what Python imports, and the callable in it: ``my_sentiment``.
    :param version: normalised.
    """

    distribution: str
    module: str
    version: str

    @property
    def kind(self) -> str:
        """The class of the callable: ``MySentiment``."""
        return "".join(part.capitalize() for part in self.module.split("_"))

    @property
    def information(self) -> str:
        """The folder of the wheel's own files."""
        return f"{self.module}-{self.version}.dist-info"

    @property
    def file(self) -> str:
        return f"{self.module}-{self.version}-py3-none-any.whl"


def names_of(name: str, version: str) -> Names:
    """Return the names that follow from the one the user gave.

    :raises UsageError: when pip or Python could not use it, or the version is none.
    """
    try:
        normal = canonicalize_name(name, validate=True)
    except InvalidName:
        raise UsageError(
            f"{name!r} cannot be a distribution's name: letters, digits, '-', '_' and '.', a letter or digit at both ends.",
            do="choose another: --name my-sentiment.",
        ) from None
    module = normal.replace("-", "_")
    if not module.isidentifier():
        raise UsageError(
            f"{name!r} would be imported as {module}, which is no Python name.", do=f"try --name my-{normal}."
        )
    if keyword.iskeyword(module):
        raise UsageError(f"{name!r} is a word of the Python language.", do=f"try --name my-{normal}.")
    if module in sys.stdlib_module_names:
        raise UsageError(
            f"{name!r} is a module of Python's standard library, which the package would hide.",
            do=f"try --name my-{normal}.",
        )
    try:
        return Names(normal, module, str(Version(version)))
    except InvalidVersion:
        raise UsageError(
            f"the function's version {version!r} is none that pip knows.",
            do="build it with a version such as 1.0.0 (PEP 440).",
        ) from None


def check_free(names: Names) -> None:
    """Refuse names that belong to something else that is installed here; an earlier build of a function is no clash.

    :raises UsageError: naming the distribution that has it.
    """
    try:
        found = distribution(names.distribution)
    except PackageNotFoundError:
        pass
    else:
        if not _is_function(found):
            raise UsageError(
                f"{names.distribution!r} is the name of an installed distribution ({found.version}).",
                do=f"try --name my-{names.distribution}.",
            )
    owners = {canonicalize_name(owner) for owner in packages_distributions().get(names.module, ())}
    owners.discard(canonicalize_name(names.distribution))
    if owners:
        raise UsageError(
            f"the import name {names.module!r} belongs to the installed distribution {', '.join(sorted(owners))}.",
            do=f"try --name my-{names.distribution}.",
        )


def _is_function(found: Distribution) -> bool:
    """Whether a distribution is a packaged function: it gives one, and nothing but functions."""
    groups = {point.group for point in found.entry_points}
    return "functory.functions" in groups and groups <= {"functory.functions", "functory.contract"}
