"""How an engine runs a program: the torch form's outputs, in any batch, from any thread."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from functory.contracts.engine import Ability, Narrow, SessionOptions
from functory.errors import NotSupported
from functory.running.replays import has_bf16
from functory_sdk.testing.comparing import difference
from functory_sdk.testing.engines.programs import TOLERANCES, EngineChecks, check_close


class RunningChecks(EngineChecks):
    """Every form gives what the torch form gives."""

    def test_it_declares_what_it_can(self) -> None:
        """It runs forward passes or writes; every ability and precision that it names is one that functory knows.

        If this fails: set `abilities = frozenset({"forward"})`, or more of what the contract lists: what is not declared
        is not asked for, and not checked.
        """
        abilities, known = self.load().abilities, frozenset(get_args(Ability))
        assert abilities & {"forward", "generate"}, "it declares neither forward passes nor generation, and can do nothing."
        assert abilities <= known, f"nobody asks for {', '.join(sorted(abilities - known))}."

    def test_every_form_gives_the_torch_forms_outputs(self, tmp_path: Path) -> None:
        """Rows of unequal lengths come out in order, as the torch form computes them; integer forms, nearly so.

        If this fails: a conversion that is off everywhere lost a weight or a mask; one that is off on short rows reads
        padding; one that is off by 1e-2 runs in bf16: ask the runtime for f32.
        """
        for precision, program, expected in self.each(self.programs(tmp_path)):
            assert program.precision == precision, f"{precision}: the program calls itself {program.precision!r}."
            session = self.open(program)
            found = session.run(self.rows())
            session.close()
            check_close(precision, expected, found)

    def test_texts_are_read_at_one_length(self, tmp_path: Path) -> None:
        """Where a backbone's vectors have one length, the program brings them to it, as the torch form does.

        If this fails: convert the program as it is, normalisation included; it is a norm and a division.
        """
        if not self.has("forward"):
            pytest.skip("the engine declares no forward pass")
        first = self.load().precisions[:1]  # in every form the reading is the same
        for precision, program, expected in self.each(self.converted(tmp_path, first, is_normalised=True)):
            session = self.open(program)
            found = session.run(self.rows())
            session.close()
            check_close(precision, expected, found)

    def test_the_texts_of_a_row_are_read_by_themselves(self, tmp_path: Path) -> None:
        """Rows that hold two texts, stacked, give what the torch form gives, alone and among others, in every form.

        If this fails: take the axes of the program's ports as they are: an axis that is a number, before one that varies.
        """
        if not self.has("forward"):
            pytest.skip("the engine declares no forward pass")
        from functory_sdk.testing.toy import ToyPairs

        rows = self.rows(ToyPairs())
        for precision, program, expected in self.each(self.converted(tmp_path, task=ToyPairs())):
            session = self.open(program)
            found, alone = session.run(rows), [session.run([row])[0] for row in rows]
            session.close()
            check_close(precision, expected, found)
            off = difference(found, alone)
            assert off <= (1e-4 if precision in TOLERANCES else 0.5), f"{precision}: a batch changes a row by {off:.2g}."

    def test_batches_change_nothing(self, tmp_path: Path) -> None:
        """A row gives alone what it gives among others, nothing gives nothing, and a long row is no surprise.

        If this fails: pass the mask to the graph, and let every axis that varies be dynamic.
        """
        for precision, program, _ in self.each(self.programs(tmp_path)):
            session, rows = self.open(program), self.rows()
            together = session.run(rows)
            alone = [session.run([row])[0] for row in rows]
            assert session.run([]) == [], f"{precision}: no rows gave something."
            off = difference(together, alone)
            assert off <= (1e-4 if precision in TOLERANCES else 0.5), (
                f"{precision}: a batch changes a row by {off:.2g}."
            )
            session.close()

    def test_many_threads_share_a_session(self, tmp_path: Path) -> None:
        """One session serves many threads at once.

        If this fails: give each thread a request object of its own, or lock around the one there is.
        """
        for precision, program, _ in self.each(self.programs(tmp_path)):
            session, rows = self.open(program), self.rows()
            expected = [session.run([row])[0] for row in rows]
            with ThreadPoolExecutor(8) as pool:
                found = list(pool.map(lambda i: session.run([rows[i % len(rows)]])[0], range(48)))  # noqa: B023
            for index, output in enumerate(found):
                off = difference([output], [expected[index % len(rows)]])
                assert off <= 1e-4, f"{precision}: outputs differ by {off:.2g} when threads share a session."
            session.close()

    def test_outputs_fit_the_ports(self, tmp_path: Path) -> None:
        """Outputs carry the ports' names, types and shapes.

        If this fails: keep the order of the program's outputs, and do not change their element types.
        """
        for precision, program, _ in self.each(self.programs(tmp_path)):
            session = self.open(program)
            for output in session.run(self.rows()[:2]):
                assert output.keys() == {port.name for port in program.outputs}, f"{precision}: {', '.join(output)}."
                for port in program.outputs:
                    assert np.asarray(output[port.name]).dtype == np.dtype(port.dtype), f"{precision}: {port.name!r}."
                    assert np.asarray(output[port.name]).ndim == len(port.axes), f"{precision}: {port.name!r}."
            session.close()

    def test_closing_ends_a_session_alone(self, tmp_path: Path) -> None:
        """Closing a session, even twice, leaves another session on the same program as it was.

        If this fails: free what this session made, and nothing that the program or the engine owns.
        """
        for _, program, _ in self.each(self.programs(tmp_path)):
            first, second, rows = self.open(program), self.open(program), self.rows()
            before = second.run(rows)
            first.close()
            first.close()
            assert difference(before, second.run(rows)) <= 1e-4
            second.close()

    def test_a_narrow_session_is_near_and_what_is_not_known_is_refused(self, tmp_path: Path) -> None:
        """A session in a narrower precision gives nearly the torch form's outputs, and not the same bits; the program stays as
        it was for other sessions. A precision that the engine does not declare is refused.

        If this fails: multiply the network's maps in what `options.precision` says, in a copy, or take it out of
        `session_precisions`; leave `check_precision` as it is.
        """
        known = self.load().session_precisions
        assert "auto" in known, "a session in the form's own precision is what everybody asks for."
        for precision in get_args(Narrow):
            options = SessionOptions(precision=precision)
            if precision not in known:
                with pytest.raises(NotSupported, match=f"{self.engine.name}.*{precision}"):
                    self.engine.check_precision(options)
                continue
            self.engine.check_precision(options)
            for form, program, expected in self.each(self.programs(tmp_path / precision)):
                before = self.run_once(program)
                session = self.open(program, precision=precision)
                found = session.run(self.rows())
                session.close()
                if precision == "auto":
                    assert difference(before, found) <= 1e-4, f"{form}: two sessions of one program differ."
                    continue
                check_close(precision if form in TOLERANCES else form, expected, found)
                assert difference(before, found) > 0 or not has_bf16(), f"{form}: {precision} gives the same bits."
                assert difference(before, self.run_once(program)) <= 1e-4, f"{form}: {precision} changed the program."

    def test_a_device_that_is_not_there_is_refused(self, tmp_path: Path) -> None:
        """Opening on a device that does not exist names the ones that do.

        If this fails: check `options.device` when the program is opened, and raise `NotSupported` with a `do`.
        """
        for _, program, _ in self.each(self.programs(tmp_path)):
            try:
                self.open(program, device="no-such-device:7")
            except NotSupported as error:
                there = self.device.partition(":")[0]
                assert there in error.do, f"the refusal does not name {there!r}, which is there: {error.do!r}"
                continue
            raise AssertionError("the device 'no-such-device:7' was accepted.")
