"""What a manifest keeps of a form, and what is read there without opening it: a kind of form is a class, and its record another.

Apart from the manifest, which knows no kind: what records read and write beside themselves, whole functions and fitted backbones
among it, they ask of the folder that they lie in (`Opening`, `Saving`).
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Protocol

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from functory.contracts.component import Part
from functory.contracts.engine import SessionOptions
from functory.contracts.rows import Program
from functory.errors import ArtefactUnsafe
from functory.plugins.registry import origin

if TYPE_CHECKING:
    from functory.contracts.backbone import Backbone
    from functory.function import Function
    from functory.running.forms.form import Form


MANIFEST = "function.json"
"""The member that says what a function is, its forms' records among it."""


class Kept(Part):
    """A component of a saved function, with the distribution that gave it: another one may claim its name some day."""

    distribution: str = Field(
        "", pattern=r"^([a-z0-9]([a-z0-9.-]*[a-z0-9])?)?$", description="Empty for a component that no distribution gave."
    )
    version: str = ""

    @classmethod
    def of_component(cls, component: Any, name: str = "") -> Kept:  # Any: a component
        """Return what is kept of a component; its own name where none is given."""
        entry = origin(component)
        return cls(
            name=name or component.name,
            options=component.options.model_dump(mode="json", exclude_unset=True),
            distribution=entry.distribution if entry else "",
            version=entry.version if entry else "",
        )

    def is_version_of(self, component: object) -> bool:
        """Whether a component is of the version that is kept."""
        entry = origin(component)
        return self.version == (entry.version if entry else "")


class Opening(Protocol):
    """The folder of a saved function, for a record that reads its form there."""

    folder: Path
    task: Any  # Any: a Task
    state: Any  # Any: its State
    session: SessionOptions

    def within(self, member: str = "") -> AbstractContextManager[None]:
        """Return the border within which a member is read, the manifest where none is named: what is raised there is its
        fault.
        """

    def component(self, kind: str, kept: Kept) -> Any:  # Any: a component of that kind
        """Return a component as the function was made with it, of the distribution that it came with."""

    def backbone(self, kept: Kept, weights_hash: str) -> Backbone[Any]:
        """Return the backbone of these weights, from where the function says, or the user, that they lie.

        :raises ArtefactCorrupt: when what lies there has others.
        :raises WeightsMissing: when it is not there, and may not be fetched.
        """

    def part(self, place: str) -> Function:
        """Return the function that lies in a folder of the function's, opened as it is."""

    def adapted(self, engine: Any, backbone: Any, formulation: Any, adaptation: Any) -> Any:
        """Return a model with φ attached, as the build's step does it."""


class Saving(Protocol):
    """The folder of a function that is being saved, for a form that writes itself there."""

    folder: Path

    def part(self, function: Function, place: str) -> None:
        """Write a whole function into a folder of the function's."""


def check_inside(path: str) -> str:
    """Return a path of a manifest.

    :raises ArtefactUnsafe: when it is absolute, leaves the folder, or is written in more than one way.
    """
    parts = PurePosixPath(path).parts
    if (
        not parts
        or path.startswith("/")
        or ".." in parts
        or "\\" in path
        or ":" in path
        or "\0" in path
        or path != "/".join(parts)
    ):
        raise ArtefactUnsafe(f"the path {path!r} leaves the folder.", do="get a fresh copy from its maker.")
    return path


def check_program(program: dict[str, Any]) -> dict[str, Any]:
    """Return a program of a manifest.

    :raises ArtefactCorrupt: when it is none.
    """
    Program.from_json(program)
    return program


ProgramData = Annotated[dict[str, Any], AfterValidator(check_program)]
Formulated = Annotated[str, Field(min_length=1, description="The name of the formulation: how the task is put to it.")]
Tolerance = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class FormRecord(BaseModel):
    """What a manifest keeps of a form. A kind of form derives its own, with a `kind` and a `tolerance`, and its fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: str
    if TYPE_CHECKING:  # last in a manifest, and so a field of each
        tolerance: Tolerance

    is_whole: ClassVar[bool] = True
    """Whether its files, or those of its parts, run by themselves, without a backbone that lies elsewhere."""
    is_one_of_many: ClassVar[bool] = False
    """Whether an artefact may hold several of its kind, each in a folder of its own, among which a load chooses the fastest."""

    @abstractmethod
    def read(self, place: Opening) -> Form:
        """Return the form, from what lies in the folder.

        :raises ArtefactCorrupt: when that is none.
        """

    @property
    def label(self) -> str:
        """What the form is called: ``openvino int8``."""
        return self.kind

    def components(self) -> Iterator[tuple[str, Kept]]:
        """Give kind and name of each component that it is read with, apart from its task."""
        yield from ()

    def places(self) -> Mapping[str, str]:
        """Return the folders of the functions that it is made of, by the names that the task gives them."""
        return {}

    def members(self) -> tuple[str, ...]:
        """Return the files that are its own, and its folders, which end in a slash."""
        return ()

    def is_of(self, engine: str) -> bool:
        """Whether it is a form of an engine, or made of functions that may be."""
        return bool(self.places()) or any(kind == "engines" and kept.name == engine for kind, kept in self.components())

    def fitted_to(self) -> tuple[Kept, str] | None:
        """Return the backbone that φ was fitted to, and the hash of its weights; None where it reads no backbone."""
        return None

    def licences(self) -> set[str]:
        """Return the licences that bind it, apart from those of its parts."""
        return set()

    def difference(self, form: Form, *, is_same_task: bool) -> tuple[str, str] | None:
        """Return what it says, and the form that was read does not, and what to do; None where they agree.

        :param is_same_task: whether the task is the one that it was made with; another version may read other ports.
        """
        return None

    def sentence(self, task: str) -> str:
        """Return in one sentence what a function for a task is made of."""
        return f"A function for {task}, as {self.label}."

    def base_model(self) -> str:
        """Return the backbone that a card names as its base; empty where a card names none."""
        return ""

    def summary(self) -> dict[str, Any]:
        """Return what it is made of, and what it needs, as plain data."""
        return {}
