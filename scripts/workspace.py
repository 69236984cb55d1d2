"""The distributions of this workspace, read from their pyproject.toml.

Apart from the scripts, because all of them need to know what is here, and nobody keeps a list of it.
Standard library only: `bootstrap.py` runs before anything is installed.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
GROUP = "functory."


@dataclass(frozen=True)
class Distribution:
    """One folder with a pyproject.toml."""

    root: Path
    folder: str
    """Relative to the workspace: ``plugins/backbones/minilm``."""

    @property
    def file(self) -> Path:
        """The pyproject.toml."""
        return self.root / self.folder / "pyproject.toml"

    @cached_property
    def data(self) -> dict[str, Any]:
        """The parsed pyproject.toml."""
        return tomllib.loads(self.file.read_text(encoding="utf-8"))

    @property
    def name(self) -> str:
        """The distribution's name: ``functory-minilm``."""
        return str(self.data["project"]["name"])

    @property
    def package(self) -> str:
        """The import package: ``functory_minilm``."""
        return self.name.replace("-", "_")

    @property
    def kind(self) -> str:
        """The folder's kind, which is its entry-point group's last word: ``backbones``."""
        return self.folder.split("/")[1] if self.folder.count("/") == 2 else ""

    @property
    def summary(self) -> str:
        """The one-sentence description."""
        return str(self.data["project"].get("description", ""))

    @property
    def settings(self) -> dict[str, Any]:
        """The distribution's ``[tool.functory]``."""
        settings: dict[str, Any] = self.data.get("tool", {}).get("functory", {})
        return settings

    @property
    def components(self) -> dict[str, list[str]]:
        """The names that it contributes, by kind: ``{"backbones": ["minilm"]}``."""
        groups: dict[str, dict[str, str]] = self.data["project"].get("entry-points", {})
        return {
            group.removeprefix(GROUP): sorted(names)
            for group, names in sorted(groups.items())
            if group.startswith(GROUP) and group != GROUP + "contract"
        }

    @property
    def extras(self) -> list[str]:
        """The names of its extras."""
        return sorted(self.data["project"].get("optional-dependencies", {}))


def find(root: Path, *patterns: str) -> list[Distribution]:
    """Return the distributions in the folders that the patterns match, in order."""
    files = [file for pattern in patterns for file in sorted(root.glob(f"{pattern}/pyproject.toml"))]
    return [Distribution(root, file.parent.relative_to(root).as_posix()) for file in files]


def plugins(root: Path = ROOT) -> list[Distribution]:
    """Return this project's plugins."""
    return find(root, "plugins/*/*")


def siblings(root: Path = ROOT) -> list[Distribution]:
    """Return what carries the workspace's version: the core, the SDK and the plugins."""
    return find(root, "core", "sdk", "plugins/*/*")


def settings(root: Path = ROOT) -> dict[str, Any]:
    """Return the workspace's own ``[tool.functory]``."""
    found: dict[str, Any] = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["functory"]
    return found


def source_only(root: Path = ROOT) -> dict[str, str]:
    """Return what may be built from a source archive, since there is no wheel of it, each with the reason."""
    found: dict[str, str] = settings(root).get("source-only", {})
    return found


def installed(root: Path = ROOT) -> list[Distribution]:
    """Return what the workspace's environment holds editable: the siblings and the example plugins."""
    return [*siblings(root), *find(root, "examples/plugins/*")]
