"""The forms of a function: how its program exists and what it needs to run. Each kind is a class that says all there is to say
of itself.

A torch form is a backbone with φ inside, in memory; an engine form is files that one engine opens,
with no backbone, torch or transformers; a composite form is other functions.
"""

from functory.running.forms.composite import CompositeForm, CompositeRecord
from functory.running.forms.engine import EngineForm, EngineRecord
from functory.running.forms.form import Form
from functory.running.forms.program import ProgramForm
from functory.running.forms.record import FormRecord, Kept, Opening, Saving
from functory.running.forms.torch import TorchForm, TorchRecord, torch_form

__all__ = [
    "CompositeForm",
    "CompositeRecord",
    "EngineForm",
    "EngineRecord",
    "Form",
    "FormRecord",
    "Kept",
    "Opening",
    "ProgramForm",
    "Saving",
    "TorchForm",
    "TorchRecord",
    "torch_form",
]
