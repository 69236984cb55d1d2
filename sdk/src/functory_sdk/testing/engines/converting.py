"""What an engine writes: forms that move, need no torch, and say when they are damaged."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from functory.contracts.rows import Program
from functory.errors import ArtefactCorrupt, FunctoryError, NotSupported
from functory_sdk.testing.comparing import difference
from functory_sdk.testing.engines.programs import TOLERANCES, EngineChecks, check_close
from functory_sdk.testing.suite import in_subprocess


class ConvertingChecks(EngineChecks):
    """A form of its own is whole, or called corrupt."""

    def test_a_converted_form_moves(self, tmp_path: Path) -> None:
        """What was converted runs from another folder, described by plain data, after the first folder is gone.

        If this fails: keep every file in the folder, name them relatively, and hold nothing in the engine object.
        """
        if not self.load().precisions:
            pytest.skip("the engine has no form of its own")
        for precision, program, _ in self.each(list(self.programs(tmp_path / "made"))):
            before = self.run_once(program)
            assert program.folder is not None and program.model is None, f"{precision}: a form is a folder, no model."
            told = json.dumps(program.as_json())
            shutil.move(program.folder, tmp_path / f"moved-{precision}")
            again = Program.from_json(json.loads(told), tmp_path / f"moved-{precision}")
            off = difference(before, self.run_once(again))
            assert off <= 1e-5, f"{precision}: outputs differ by {off:.2g} after the folder was moved."

    def test_a_converted_form_runs_without_torch(self, tmp_path: Path) -> None:
        """A converted form is opened and run with neither torch nor transformers imported.

        If this fails: import what converting needs inside `convert`, apart from what running needs.
        """
        if not self.load().precisions:
            pytest.skip("the engine has no form of its own")
        [(_, program, expected), *_] = self.programs(tmp_path)
        (tmp_path / "program.json").write_text(json.dumps(program.as_json()))
        row: dict[str, Any] = self.rows()[0]
        np.savez(tmp_path / "row.npz", **row)
        module, _, attribute = self.entry.value.partition(":")
        code = (
            "import sys, json\nfrom pathlib import Path\nimport numpy as np\nfrom importlib import import_module\n"
            "from functory.contracts.rows import Program\nfrom functory.contracts.engine import SessionOptions\n"
            f"program = Program.from_json(json.loads(Path({str(tmp_path / 'program.json')!r}).read_text()), "
            f"Path({str(program.folder)!r}))\n"
            f"cls = import_module({module!r}).{attribute}\ncls.name = {self.component!r}\n"
            f"engine = cls.configure({dict(self.options)!r})\n"
            f"session = engine.open(program, SessionOptions(threads=1, budget=64, device={self.device!r}))\n"
            f"[output] = session.run([dict(np.load({str(tmp_path / 'row.npz')!r}))])\n"
            "print('output:', json.dumps({name: np.asarray(v).tolist() for name, v in output.items()}))\n"
            "print('heavy:', *[name for name in ('torch', 'transformers') if name in sys.modules])\n"
        )
        told = in_subprocess(code)
        heavy = told.partition("heavy:")[2].split()
        assert not heavy, f"running a converted form imports {', '.join(heavy)}."
        found = json.loads(told.partition("output:")[2].splitlines()[0])
        check_close(program.precision, expected[:1], [{k: np.asarray(v, dtype=np.float32) for k, v in found.items()}])

    def test_a_form_that_is_cut_off_is_called_corrupt(self, tmp_path: Path) -> None:
        """A form of which any file lacks its second half is not opened: the error is `ArtefactCorrupt`, and says where.

        If this fails: catch what the runtime raises when it reads the files, and raise `ArtefactCorrupt` from it with the
        file as `where`; where the runtime takes what it gets, compare the file's size with one that you wrote down.
        """
        if not self.load().precisions:
            pytest.skip("the engine has no form of its own")
        for precision, program, _ in self.each(self.programs(tmp_path)):
            assert program.folder is not None, f"{precision}: a form is a folder."
            for file in sorted(path for path in program.folder.rglob("*") if path.is_file()):
                whole = file.read_bytes()
                file.write_bytes(whole[: len(whole) // 2])
                try:
                    self.open(program).close()
                except ArtefactCorrupt as error:
                    assert str(program.folder) in error.where, f"{precision}: the error does not say where: {error}"
                else:
                    raise AssertionError(f"{precision}: the form was opened with half of {file.name}.")
                file.write_bytes(whole)

    def test_a_closed_session_says_so(self, tmp_path: Path) -> None:
        """A session that ran, and was closed, refuses to run again, and says why.

        If this fails: forget the graph in `close`, and raise `NotSupported` in `run_batch` where there is none.
        """
        if not self.load().precisions:
            pytest.skip("the engine has no form of its own")
        for precision, program, _ in self.each(self.programs(tmp_path)):
            session, rows = self.open(program), self.rows()
            assert len(session.run(rows)) == len(rows)
            session.close()
            try:
                session.run(rows)
            except NotSupported as error:
                assert "closed" in error.what and error.do, f"{precision}: a closed session says: {error}"
            except Exception as error:
                raise AssertionError(f"{precision}: a closed session says: {error!r}") from error
            else:
                raise AssertionError(f"{precision}: the session ran after it was closed.")

    def test_a_reduced_form_spares_the_head(self, tmp_path: Path) -> None:
        """A large weight that cancels out in the probabilities takes nothing from the weights beside it.

        If this fails: leave the head's maps in fp32. Standardised features give it weights of very unequal size.
        """
        import torch

        reduced = [precision for precision in self.load().precisions if precision not in TOLERANCES]
        for precision in self.each(reduced or pytest.skip("the engine has no reduced precision")):
            outputs = []
            for weight in (0.0, 500.0):
                fitted = self.fitted()
                with torch.no_grad():
                    fitted.model.head.linear.weight[:, 0] = weight  # the same for every label
                whole = Program("forward", fitted.model.inputs, fitted.model.outputs, model=fitted.model)
                place = tmp_path / f"{precision}-{weight:g}"
                place.mkdir(parents=True)
                program = self.engine.convert(whole, place, precision=precision, samples=self.rows())
                outputs.append(self.run_once(program))
            off = difference(*outputs)
            assert off <= 0.01, f"{precision}: one large weight of the head changes the outputs by {off:.2g}."

    def test_an_unknown_precision_is_refused(self, tmp_path: Path) -> None:
        """Converting to a precision that is not declared, or with an engine that has no form, says so.

        If this fails: raise `NotSupported` that lists the precisions, and write nothing.
        """
        fitted = self.fitted()
        program = Program("forward", fitted.model.inputs, fitted.model.outputs, model=fitted.model)
        try:
            self.engine.convert(program, tmp_path, precision="no-such-precision")
        except FunctoryError:
            assert not list(tmp_path.iterdir()), "files were written for a refused precision."
        else:
            raise AssertionError("the precision 'no-such-precision' was accepted.")
