"""Examples from files and iterables: read, validate, split, look for trouble. Knows no task and no backbone.

records = read("reviews.csv")                          # rows, each with its place; faulty ones set aside
rows = stream("reviews.csv")                           # the same as they come: nothing is kept
found = examples(records, Example, columns)            # validated models, or the first fault by its line
parts = split(found, seed=0, stratify=by_label)        # train, dev, test
notes = audit(parts, stratify=by_label)                # duplicates between splits, class imbalance
"""

from functory.data.audit import audit
from functory.data.columns import guess
from functory.data.examples import Examples, checked, examples, validated
from functory.data.faults import Fault
from functory.data.files import DataFile
from functory.data.records import Record, Records, RecordStream
from functory.data.sampling import Limit
from functory.data.sources import read, stream
from functory.data.splits import Splits, split

__all__ = [
    "DataFile", "Examples", "Fault", "Limit", "Record", "RecordStream", "Records", "Splits", "audit", "checked", "examples",
    "guess", "read", "split", "stream", "validated",
]  # fmt: skip
