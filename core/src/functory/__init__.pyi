from functory import errors as errors
from functory.artefact.loading import load as load
from functory.artefact.opening import verify as verify
from functory.build import build as build
from functory.composite import compose as compose
from functory.function import Function as Function
from functory.measuring.comparison import Comparison as Comparison
from functory.measuring.report import Report as Report
from functory.recipe import Recipe as Recipe
from functory.using.comparing import compare as compare

__version__: str

__all__ = ["Comparison", "Function", "Recipe", "Report", "__version__", "build", "compare", "compose", "errors", "load", "verify"]
