"""Says what brings a module that is not installed, as the metadata of who needs it have it.

Apart from `importing`, because a module may be missing at a component's import, or only at its first use.
"""

from __future__ import annotations

import re

from functory.machine.distributions import Entry, normalise
from functory.machine.metadata import METADATA_BYTES, read

NAMED_OTHERWISE = {
    "PIL": "pillow",
    "attr": "attrs",
    "bs4": "beautifulsoup4",
    "cv2": "opencv-python",
    "dateutil": "python-dateutil",
    "faiss": "faiss-cpu",
    "fitz": "pymupdf",
    "google.protobuf": "protobuf",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "yaml": "pyyaml",
}
"""Modules whose distribution has another name, where the metadata leave the reader to know it."""

_REQUIREMENT = re.compile(r"^([A-Za-z0-9][\w.-]*)\s*(?:\[[^\]]*\])?\s*\(?([^;()]*)\)?\s*(?:;(.*))?$")
_EXTRA = re.compile(r"extra\s*==\s*['\"]([^'\"]+)['\"]")


def remedy(module: str, entry: Entry) -> str:
    """Return the line that brings a missing module.

    It is the requirement, or the extra, of the distribution that needs it; where that names none, the module's own name.

    :param module: the module that was not found: ``sklearn.metrics``.
    :param entry: the component that imports it.
    """
    wanted = _names(module)
    for name, version, extra in _requirements(entry.metadata):
        if normalise(name) not in wanted:
            continue
        if extra:
            return f"pip install '{entry.distribution}[{extra}]', which brings {name}."
        return f"pip install {_quoted(name + version)}, which {entry.distribution} requires."
    guess = f"pip install {wanted[0]}, if that is what brings it."
    return f"{guess} {entry.distribution} does not say that it needs it: tell its author."


def _names(module: str) -> list[str]:
    """Return the distributions, normalised, that a module may come with; the likeliest first."""
    parts = module.split(".")
    prefixes = [".".join(parts[:end]) for end in range(1, len(parts) + 1)]
    known = [NAMED_OTHERWISE[prefix] for prefix in prefixes if prefix in NAMED_OTHERWISE]
    return [*known, *map(normalise, prefixes)]


def _requirements(metadata: str) -> list[tuple[str, str, str]]:
    """Return name, version range and extra of each requirement; what cannot be read requires nothing."""
    try:
        text = read(f"{metadata}/METADATA", METADATA_BYTES)[0].decode("utf-8", "replace").replace("\r\n", "\n")
    except OSError:
        return []
    header = text.partition("\n\n")[0]
    found = []
    for line in re.findall(r"^Requires-Dist:[ \t]*(.+)$", header, re.MULTILINE):
        match = _REQUIREMENT.match(line.strip())
        if match:
            extra = _EXTRA.search(match[3] or "")
            found.append((match[1], match[2].strip(), extra[1] if extra else ""))
    return found


def _quoted(requirement: str) -> str:
    """Return a requirement as a shell takes it: ``>`` would open a file."""
    return requirement if re.fullmatch(r"[\w.=-]+", requirement) else f"'{requirement}'"
