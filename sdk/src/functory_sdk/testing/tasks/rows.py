"""How a task is read: rows that fit the program, whatever the company."""

from __future__ import annotations

from functory.contracts.texts import texts_of
from functory.errors import TooLong
from functory_sdk.testing.comparing import difference
from functory_sdk.testing.tasks.made import TaskChecks
from functory_sdk.testing.tasks.putting import fits_port


class RowChecks(TaskChecks):
    """Inputs become rows that are their own."""

    def test_every_row_has_its_owner(self) -> None:
        """Rows come in the order of their inputs, each with its owner, and each input has its side data.

        If this fails: append to rows and owner together, and to side once per input, even where it gives no row.
        """
        inputs = self.inputs()
        for put in self.each(self.puts()):
            encoded = put.encode(inputs)
            assert len(encoded.side) == len(inputs), f"{put.name}: {len(encoded.side)} sides for {len(inputs)} inputs."
            assert len(encoded.owner) == len(encoded.rows), f"{put.name}: owner and rows differ in length."
            assert encoded.owner == sorted(encoded.owner), f"{put.name}: owners are out of order."
            assert set(encoded.owner) <= set(range(len(inputs))), f"{put.name}: an owner is no input."
            if put.formulation.program == "generate":
                owners = encoded.asked
                assert len(owners) == len(encoded.requests), f"{put.name}: `of` and requests differ in length."
                assert owners == sorted(owners) and set(owners) <= set(range(len(inputs))), f"{put.name}: `of` is out of order."
            nothing = put.encode([])
            assert not nothing.rows and not nothing.side and not nothing.requests, f"{put.name}: no inputs gave something."

    def test_rows_fit_the_programs_ports(self) -> None:
        """Each row holds what the program reads, in the ports' types and shapes, and none is longer than the context.

        If this fails: make rows with `reader.row`, and declare what you add in `Formulation.inputs`.
        """
        for put in self.each(self.forward()):
            for row in put.encode([*self.inputs(), *self.hard_inputs()]).rows:
                for port in put.form.program.inputs:
                    fits_port(put.name, row, port)
                length = row["input_ids"].shape[-1]
                assert length <= put.backbone.spec.context, f"{put.name}: a row of {length} tokens."

    def test_each_field_changes_the_rows(self) -> None:
        """An input that differs in one field, or in one text of a list, gives other rows, whichever that is: none is ignored.

        If this fails: `encode` passes over it. Read both texts of a pair: `reader.encode([(one.first, one.second)])`.
        """
        task = self.task
        base = self.inputs()[0]
        for put in self.puts():
            before = put.encode([base])
            for name in self.each(task.Input.model_fields):
                after = put.encode([self.varied(base, name)])
                is_same = before.requests == after.requests and difference(before.rows, after.rows) == 0
                assert not is_same, f"{put.name}: the rows are the same whatever {name!r} says."
            for path in (path for path in texts_of(base) if "." in path):
                after = put.encode([self.changed(base, path, f"{texts_of(base)[path]} film") or base])
                is_same = before.requests == after.requests and difference(before.rows, after.rows) == 0
                assert not is_same, f"{put.name}: the rows are the same whatever {path!r} says."

    def test_an_input_gives_the_same_rows_in_any_company(self) -> None:
        """Encoding inputs one by one gives the rows that encoding them together gives.

        If this fails: let nothing of one input reach the rows of another.
        """
        inputs = self.inputs()
        for put in self.each(self.puts()):
            together = put.encode(inputs)
            alone = [put.encode([value]) for value in inputs]
            rows = [row for one in alone for row in one.rows]
            assert difference(rows, together.rows) == 0, f"{put.name}: rows depend on the inputs beside them."
            assert [r for one in alone for r in one.requests] == together.requests, f"{put.name}: requests differ."

    def test_long_texts_follow_the_rule(self) -> None:
        """A text beyond the context is read in windows, cut, or refused, as the recipe says; a cut is told.

        If this fails: read texts with `reader.read`, pass its notes on to the Output, and count your own tokens in.
        """
        longs = [value for value in self.hard_inputs() if any(len(text) > 1000 for text in texts_of(value).values())]
        for put in self.forward():
            for value in self.each(longs):
                for rule in ("window", "cut"):
                    encoded = put.encode([value], rule)
                    longest = max((row["input_ids"].shape[-1] for row in encoded.rows), default=0)
                    assert longest <= put.backbone.spec.context, f"{put.name}: {rule} left a row of {longest} tokens."
                [output] = put.decode(encoded, put.run(encoded))
                assert output.notes, f"{put.name}: a text was cut and the output says nothing of it."
                try:
                    put.encode([value], "refuse")
                except TooLong:
                    continue
                raise AssertionError(f"{put.name}: a text beyond the context was not refused.")
