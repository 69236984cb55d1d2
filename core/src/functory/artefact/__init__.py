"""The artefact: a function as a folder. Written whole, checked whole, and never a pickle.

sentiment/
function.json         the manifest
weights.safetensors   φ, where there is one
golden.jsonl          inputs with this function's outputs
README.md             the function card
engines/<name>/       engine forms
parts/<name>/         whole artefacts, for a composite
"""

from functory.artefact.assembling import label, read
from functory.artefact.checking import check, read_manifest
from functory.artefact.members import CARD, GOLDEN, MANIFEST, WEIGHTS
from functory.artefact.opening import open_artefact, verify
from functory.artefact.writing import save, write

__all__ = [
    "CARD", "GOLDEN", "MANIFEST", "WEIGHTS", "check", "label", "open_artefact", "read", "read_manifest", "save", "verify",
    "write",
]  # fmt: skip
