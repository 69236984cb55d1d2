"""The manifest: function.json, the page that says what a function is and what its folder must hold."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal

from pydantic import (
    VERSION,
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    field_validator,
    model_validator,
)

from functory import __version__
from functory.contracts.backbone import BackboneSpec
from functory.contracts.component import Part
from functory.contracts.optimization import OptimizationReport
from functory.contracts.rows import Program
from functory.errors import ArtefactUnsafe
from functory.measuring.report import Metric
from functory.measuring.trials import Trial
from functory.reading.reader import LongText


class Kept(Part):
    """A component of a saved function, with the distribution that gave it: another one may claim its name some day."""

    distribution: str = Field(
        "", pattern=r"^([a-z0-9]([a-z0-9.-]*[a-z0-9])?)?$", description="Empty for a component that no distribution gave."
    )
    version: str = ""


class Writers(BaseModel):
    """The versions of what wrote a manifest, and the schemas of its signature."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    functory: str
    pydantic: str

    @classmethod
    def here(cls) -> Writers:
        """Return those of this process."""
        return cls(functory=__version__, pydantic=VERSION)


class Member(BaseModel):
    """A file of the artefact."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    size: int = Field(ge=0)


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


def check_report(report: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return the report of an optimization, as it is.

    :raises ValueError: when it is none.
    """
    if report is not None:
        OptimizationReport.model_validate(report)
    return report


ProgramData = Annotated[dict[str, Any], AfterValidator(check_program)]
ReportData = Annotated[dict[str, Any] | None, AfterValidator(check_report)]
Formulated = Annotated[str, Field(min_length=1, description="The name of the formulation: how the task is put to it.")]
Tolerance = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class TorchRecord(BaseModel):
    """A torch form: a backbone by reference, φ in weights.safetensors."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["torch"] = "torch"
    engine: Kept
    backbone: Kept
    spec: BackboneSpec
    adaptation: Kept
    formulation: Formulated
    program: ProgramData
    has_phi: bool
    tolerance: Tolerance


class EngineRecord(BaseModel):
    """An engine form: files under engines/<name>/ that run by themselves.

    Threads and budget were the fastest on one processor, `probed_on`, and are not used on another.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["engine"] = "engine"
    engine: Kept
    folder: str
    spec: BackboneSpec
    formulation: Formulated
    program: ProgramData
    threads: int = Field(0, ge=0)
    budget: int = Field(0, ge=0)
    probed_on: str = ""
    tolerance: Tolerance

    @field_validator("folder")
    @classmethod
    def _own(cls, folder: str) -> str:
        """The folder is one of the forms'."""
        if not re.fullmatch("engines/[^/]+", check_inside(folder)):
            raise ValueError(f"{folder!r} is no folder of a form: engines/…")
        return folder


class CompositeRecord(BaseModel):
    """A composite: whole artefacts under parts/<name>/."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["composite"] = "composite"
    parts: dict[str, str] = Field(min_length=1)
    tolerance: Tolerance

    @field_validator("parts")
    @classmethod
    def _apart(cls, parts: dict[str, str]) -> dict[str, str]:
        """Each part lies in a folder of its own, so that none holds another, or itself."""
        for name, place in parts.items():
            if check_inside(place) != f"parts/{name}" or "/" in name:
                raise ValueError(f"part {name!r} lies in {place!r}, and not in 'parts/{name}'")
        return parts


FormRecord = Annotated[TorchRecord | EngineRecord | CompositeRecord, Field(discriminator="kind")]


def label(record: FormRecord) -> str:
    """Return what a form is called: ``openvino int8``."""
    if isinstance(record, CompositeRecord):
        return "composite"
    return f"{record.engine.name} {record.program['precision']}"


class Manifest(BaseModel):
    """What function.json holds."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="strings")

    format: Literal[3] = 3
    written_by: Writers
    name: str = Field(min_length=1)
    version: str
    licence: str = ""
    licences: tuple[str, ...] = Field((), description="Licences of what it was made from: the backbone's, the data's.")
    task: Kept
    state: dict[str, Any]
    signature: dict[str, Any]
    forms: tuple[FormRecord, ...] = Field(min_length=1)
    long_text: LongText = "window"
    max_tokens: int = Field(0, ge=0)
    recipe: dict[str, Any] = {}
    data: dict[str, dict[str, Any]] = {}
    versions: dict[str, str] = {}
    metrics: dict[str, Metric] = {}
    notes: tuple[str, ...] = ()
    tried: tuple[Trial, ...] = Field((), description="The adaptations among which the build chose, and how each did.")
    optimization: ReportData = None
    members: dict[str, Member] = {}
    _sha256: str = PrivateAttr("")

    @property
    def sha256(self) -> str:
        """The digest of the artefact that it was read from; empty in a manifest that was not read."""
        return self._sha256

    @classmethod
    def of(cls, data: dict[str, Any], sha256: str) -> Manifest:
        """Return the manifest that was read with this digest.

        :raises pydantic.ValidationError: when the data are none.
        """
        manifest = cls.model_validate(data)
        manifest._sha256 = sha256
        return manifest

    def __repr__(self) -> str:
        return f"<manifest of {self.name} {self.version}: {self.task.name}, {len(self.members)} files>"

    def __str__(self) -> str:
        return repr(self)

    @field_validator("data")
    @classmethod
    def _counted(cls, data: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        """A split has a count and a hash."""
        for name, split in data.items():
            if "examples" in split and not (type(split["examples"]) is int and isinstance(split.get("sha256"), str)):
                raise ValueError(f"{name!r} has no number of examples and their hash")
        return data

    @model_validator(mode="after")
    def _called_as_they_are(self) -> Manifest:
        """Each form has a name of its own, and its folder is called so."""
        labels = list(map(label, self.forms))
        for form, name in zip(self.forms, labels, strict=True):
            if labels.count(name) > 1:
                raise ValueError(f"two forms are called {name!r}")
            if isinstance(form, EngineRecord) and form.folder != place_of(form.engine.name, form.program["precision"]):
                raise ValueError(f"the form {name!r} lies in {form.folder!r}")
        return self

    @field_validator("members")
    @classmethod
    def _inside(cls, members: dict[str, Member]) -> dict[str, Member]:
        """A member's path stays in the folder."""
        for path in members:
            check_inside(path)
        return members


def place_of(engine: str, precision: str) -> str:
    """Return the folder of an engine form."""
    return f"engines/{engine}-{precision}"
