"""The manifest: function.json, the page that says what a function is and what its folder must hold."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    VERSION,
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    SerializeAsAny,
    field_validator,
    model_validator,
)

from functory import __version__
from functory.contracts.optimization import OptimizationReport
from functory.measuring.report import Metric
from functory.measuring.trials import Trial
from functory.plugins.registry import load
from functory.reading.reader import LongText
from functory.running.forms import Form, FormRecord, Kept
from functory.running.forms.record import check_inside


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


def check_report(report: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return the report of an optimization, as it is.

    :raises ValueError: when it is none.
    """
    if report is not None:
        OptimizationReport.model_validate(report)
    return report


ReportData = Annotated[dict[str, Any] | None, AfterValidator(check_report)]


def read_record(data: Any) -> Any:  # Any: what stands in a manifest; what is none is refused by the field
    """Return the record of a form, which its kind says how to read.

    :raises ValueError: of pydantic's, where it says no kind, or one that is not saved.
    :raises UnknownComponent: when no installed distribution gives such a kind.
    :raises ValueError: where none is named, or one that is not saved.
    """
    if isinstance(data, FormRecord):
        return data
    kind = data.get("kind") if isinstance(data, dict) else None
    if not isinstance(kind, str):
        raise ValueError("a form has a kind, which is a text")
    form: type[Form] = load("forms", kind)
    if form.Record is None:
        raise ValueError(f"a form of kind {kind!r} is not saved")
    return form.Record.model_validate(data)


RecordData = Annotated[SerializeAsAny[FormRecord], BeforeValidator(read_record)]


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
    forms: tuple[RecordData, ...] = Field(min_length=1)
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
        """Each form has a name of its own."""
        labels = [form.label for form in self.forms]
        for name in labels:
            if labels.count(name) > 1:
                raise ValueError(f"two forms are called {name!r}")
        return self

    @field_validator("members")
    @classmethod
    def _inside(cls, members: dict[str, Member]) -> dict[str, Member]:
        """A member's path stays in the folder."""
        for path in members:
            check_inside(path)
        return members
