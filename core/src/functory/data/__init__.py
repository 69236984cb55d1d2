"""Examples from files and iterables: read, validate, split, look for trouble. Knows no task and no backbone.

records = read("reviews.csv")                          # rows, each with its place; faulty ones set aside
found = examples(records, Example, columns)            # validated models, or the first fault by its line
parts = split(found, seed=0, stratify=by_label)        # train, dev, test
notes = audit(parts, stratify=by_label)                # duplicates between splits, class imbalance
"""

from functory.data.audit import audit
from functory.data.columns import guess
from functory.data.examples import Examples, checked, examples
from functory.data.faults import Fault
from functory.data.records import Record, Records
from functory.data.sources import read
from functory.data.splits import Splits, split

__all__ = ["Examples", "Fault", "Record", "Records", "Splits", "audit", "checked", "examples", "guess", "read", "split"]
