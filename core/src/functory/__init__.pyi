from functory import errors as errors
from functory.artefact.opening import verify as verify
from functory.build import build as build
from functory.composite import compose as compose
from functory.function import Function as Function
from functory.function import load as load
from functory.measuring.report import Report as Report
from functory.recipe import Recipe as Recipe

__version__: str

__all__ = ["Function", "Recipe", "Report", "__version__", "build", "compose", "errors", "load", "verify"]
