"""What every component of its kind owes."""

from functory_sdk.testing import ReaderSuite

ROWS = (
    {"tokens": ["EU", "rejects", "German", "call"], "tags": ["B-ORG", "O", "B-MISC", "O"]},
    {"tokens": ["New", "York"], "tags": ["B-LOC", "I-LOC"]},
)


class TestCoNLL(ReaderSuite):
    component = "conll"
    file_name = "eng.train"
    content = (
        b"-DOCSTART- -X- -X- O\n\nEU NNP B-NP B-ORG\nrejects VBZ B-VP O\nGerman JJ B-NP B-MISC\ncall NN I-NP O\n\n"
        b"New NNP B-NP B-LOC\nYork NNP I-NP I-LOC\n"
    )
    rows = ROWS


class TestTokenRows(ReaderSuite):
    component = "token-rows"
    file_name = "ner_dataset.csv"
    content = (
        b"Sentence #,Word,POS,Tag\nSentence: 1,EU,NNP,B-ORG\n,rejects,VBZ,O\n,German,JJ,B-MISC\n,call,NN,O\n"
        b"Sentence: 2,New,NNP,B-LOC\n,York,NNP,I-LOC\n"
    )
    rows = ROWS


class TestSlashed(ReaderSuite):
    component = "slashed"
    file_name = "brown.pos"
    content = b"EU/B-ORG rejects/O German/B-MISC call/O\n\nNew/B-LOC York/I-LOC\n"
    rows = ROWS
