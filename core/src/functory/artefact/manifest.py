"""The manifest: function.json, the page that says what a function is and what its folder must hold."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, field_validator

from functory.contracts.backbone import BackboneSpec
from functory.contracts.component import Part
from functory.reading.reader import LongText


class Kept(Part):
    """A component of a saved function, with the distribution that gave it: another one may claim its name some day."""

    distribution: str = Field("", description="Empty for a component that no distribution gave.")
    version: str = ""


class Member(BaseModel):
    """A file of the artefact."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    size: int = Field(ge=0)


class TorchRecord(BaseModel):
    """A torch form: a backbone by reference, φ in weights.safetensors."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["torch"] = "torch"
    engine: Kept
    backbone: Kept
    spec: BackboneSpec
    adaptation: Kept
    program: dict[str, Any]
    has_phi: bool
    tolerance: float


class EngineRecord(BaseModel):
    """An engine form: files under engines/<name>/ that run by themselves.

    Threads and budget were the fastest on one processor, `probed_on`, and are not used on another.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["engine"] = "engine"
    engine: Kept
    folder: str
    spec: BackboneSpec
    learning: Literal["supervised", "nothing"]
    program: dict[str, Any]
    threads: int = 0
    budget: int = 0
    probed_on: str = ""
    tolerance: float


class CompositeRecord(BaseModel):
    """A composite: whole artefacts under parts/<name>/."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["composite"] = "composite"
    parts: dict[str, str]
    tolerance: float


FormRecord = Annotated[TorchRecord | EngineRecord | CompositeRecord, Field(discriminator="kind")]


class Manifest(BaseModel):
    """What function.json holds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[2] = 2
    name: str = Field(min_length=1)
    version: str
    licence: str = ""
    licences: tuple[str, ...] = Field((), description="Licences of what it was made from: the backbone's, the data's.")
    task: Kept
    state: dict[str, Any]
    signature: dict[str, Any]
    forms: tuple[FormRecord, ...] = Field(min_length=1)
    long_text: LongText = "window"
    max_tokens: int = 0
    recipe: dict[str, Any] = {}
    data: dict[str, Any] = {}
    versions: dict[str, str] = {}
    metrics: dict[str, Any] = {}
    notes: tuple[str, ...] = ()
    optimization: dict[str, Any] | None = None
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

    @field_validator("members")
    @classmethod
    def _inside(cls, members: dict[str, Member]) -> dict[str, Member]:
        """A member's path stays in the folder."""
        for path in members:
            check_inside(path)
        return members


def check_inside(path: str) -> str:
    """Return a path of a manifest.

    :raises ValueError: when it is absolute, leaves the folder, or is written in more than one way.
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
        raise ValueError(f"the path {path!r} leaves the folder")
    return path
