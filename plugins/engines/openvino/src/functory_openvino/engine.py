"""The engine's contract: open a graph; convert a torch program into one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from functory_sdk import Engine, NoOptions, NotSupported, Program, Row, Session, SessionOptions

GRAPH = "model.xml"


class OpenVINOEngine(Engine[NoOptions]):
    """OpenVINO: reads and writes in fp32 and int8, fast on Intel's and other CPUs, without torch."""

    abilities: ClassVar = frozenset({"forward", "generate"})
    precisions: ClassVar = ("fp32", "int8")
    session_precisions: ClassVar = ("auto", "bf16")

    def open(self, program: Program, options: SessionOptions) -> Session:
        from functory_openvino.pairs import FACTS
        from functory_openvino.session import OpenVINOSession
        from functory_openvino.translating import TranslatingSession
        from functory_openvino.writing import WritingSession

        if program.folder is None:
            raise NotSupported("the openvino engine opens programs from files.", do="convert the program first.")
        if program.kind == "generate":
            is_pair = (program.folder / FACTS).is_file()
            return (TranslatingSession if is_pair else WritingSession)(program, options, program.folder)
        return OpenVINOSession(program, options, program.folder / GRAPH)

    def convert(self, program: Program, folder: Path, *, precision: str, samples: Sequence[Row] = ()) -> Program:
        if precision not in self.precisions or program.model is None:
            raise NotSupported(
                f"the openvino engine cannot write {program.kind} programs in {precision!r}.",
                do=f"its precisions: {', '.join(self.precisions)}; the program must be in its torch form.",
            )
        if program.kind == "generate":
            from functory_openvino import decoder, sources

            is_pair = program.model.network.spec.architecture == "encoder-decoder"
            return (sources if is_pair else decoder).convert(program, folder, precision)
        from functory_openvino.convert import convert

        return convert(program, folder / GRAPH, precision, samples)
