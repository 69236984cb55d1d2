"""The code task, and the walls behind which code is run."""

from functory_code.sandbox import Limits, Verdict, lacking, run
from functory_code.task import CodeWriting
from functory_code.types import Code, CodeOptions, Tested, Wanted

__all__ = ["Code", "CodeOptions", "CodeWriting", "Limits", "Tested", "Verdict", "Wanted", "lacking", "run"]
