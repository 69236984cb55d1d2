"""The contract of packagers: a function → something to deploy."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path
from typing import ClassVar

from functory.contracts.component import Component, O


class Packager(Component[O]):
    """Turns a saved function into something to deploy: a wheel first."""

    kind: ClassVar[str] = "packagers"
    is_installable: ClassVar[bool] = True
    """What it writes is installed with pip, so every component of the function must come from a distribution."""

    @abstractmethod
    def package(self, artefact: Path, name: str, target: Path) -> list[Path]:
        """Write the package of a verified artefact into `target`.

        Two calls on the same artefact give the same bytes.

        :param artefact: the folder of a saved function.
        :param name: the name to install and import it by: ``my-sentiment``.
        :param target: the folder to write into; made when it is not there.
        :return: the files written.
        """
