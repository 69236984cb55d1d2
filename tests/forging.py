"""Damages and forges artefacts, from a seed: what tests and ``scripts/forge.py`` load, to see how it ends.

Damage is what a disk or a copy does; the digest finds it. A forgery is what somebody does who writes the hashes and the
digest again: every byte is then as its manifest says, and only what reads it can find that it means nothing. The same seed
makes the same forgery of the same artefact.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import re
import shutil
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

MANIFEST, DIGEST = "function.json", "function.json.sha256"
ESCAPES = "\x1b[31mred\x1b]0;title\x07 \x9b2J \u202eback\u2066 \x00 \x7f"
"""What a terminal would obey, in the place of a name."""
HALF = "\ud800"
"""Half of a surrogate pair: JSON can spell it, no file can hold it."""
ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 7, 10**6, 10**30, -(10**30), 1.5, -0.0, 1e-300, 1e300, "", " ", "x", "0", "../x", "/etc/passwd",
    "./evil.py:Evil", "hf:evil/model", "name:with:colons", ESCAPES, HALF, "é" * 300, "x" * 100_000, "\n\nerror: all is well", [],
    {}, [None], [[]], [{}], {"": {}}, {"a": 1}, list(range(1000)), ["x"] * 3, {ESCAPES: ESCAPES}, {HALF: HALF},
)  # fmt: skip
"""Values that no field expects, or too few do."""
_TEXTS = ("[" * 100_000, '{"a":' * 100_000, "9" * 5000, "-" + "9" * 400, "1e999", "NaN", "-Infinity", "0x10", "'x'", '"\x01"', "")
"""What may stand in the place of a value, and is no JSON, or none that every reader can take."""

Work = Callable[[Path, random.Random], str]
"""Changes a folder; returns what it did, in a few words."""


@dataclass(frozen=True)
class Case:
    """One artefact, damaged or forged.

    :param number: with the artefact, what makes it again.
    :param what: what was done to it.
    :param is_sealed: whether hashes and digest were written again.
    """

    number: int
    what: str
    is_sealed: bool


def forge(sound: Path, target: Path, number: int) -> Case:
    """Copy a sound artefact and do to the copy what the number says."""
    shutil.copytree(sound, target)
    draw = random.Random(f"{sound.name} {number}")
    if draw.random() < 0.15:
        return Case(number, draw.choice(DAMAGES)(target, draw), False)
    where = target if draw.random() < 0.7 else draw.choice(_artefacts(target))
    applicable = [work for work, suits in FORGERIES if _suits(where, suits)]
    return Case(number, draw.choice(applicable)(where, draw), seal(target))


def seal(folder: Path) -> bool:
    """Write the hashes and the digest of an artefact again, those of its parts first; a manifest that is no JSON keeps its own.

    :return: True.
    """
    for part in sorted(folder.glob("parts/*/function.json")):
        seal(part.parent)
    manifest = folder / MANIFEST
    if manifest.is_file():
        text = manifest.read_bytes()
        try:
            data = json.loads(text)
            data["members"] = _hashed(folder)
            text = json.dumps(data).encode()
        except (ValueError, TypeError, RecursionError):
            members = f'"members": {json.dumps(_hashed(folder))}'.encode()
            text = re.sub(rb'"members": \{(?:[^{}]|\{[^{}]*\})*\}', lambda _: members, text, count=1)
        manifest.write_bytes(text)
        line = f"{hashlib.sha256(text).hexdigest()}  {MANIFEST}\n"
        (folder / DIGEST).write_bytes(line.encode())
    return True


def _hashed(folder: Path) -> dict[str, Any]:
    """Return what a manifest says of the other files, with every plain file that is there now."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and not path.is_symlink() and name not in (MANIFEST, DIGEST):
            content = path.read_bytes()
            found[name] = {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
    return found


def _artefacts(folder: Path) -> list[Path]:
    """Return an artefact and its parts."""
    return [folder, *(path.parent for path in sorted(folder.glob("parts/*/function.json")))]


def _members(folder: Path, suits: str) -> list[Path]:
    """Return the files of an artefact, its parts' not counted, whose names fit; in their order."""
    own = (path for path in sorted(folder.rglob("*")) if path.is_file() and "parts" not in path.relative_to(folder).parts[:-1])
    return [path for path in own if re.fullmatch(suits, path.relative_to(folder).as_posix())]


def _suits(folder: Path, suits: str) -> bool:
    """Whether a forgery has what it needs; one of ``parts/…`` needs a part's file, every other one of its own."""
    if suits.startswith("parts/"):
        return any(folder.glob("parts/*/function.json"))
    return bool(_members(folder, suits))


def _pick(folder: Path, draw: random.Random, suits: str = ".*") -> Path:
    return draw.choice(_members(folder, suits))


# -- damage: bytes and files ------------------------------------------------------------------------------------------


def flip(folder: Path, draw: random.Random, suits: str = ".*") -> str:
    """Flip one bit."""
    file = _pick(folder, draw, suits)
    content = bytearray(file.read_bytes())
    if content:
        place = draw.randrange(len(content))
        content[place] ^= 1 << draw.randrange(8)
        file.write_bytes(content)
    return f"a bit of {file.name}"


def cut(folder: Path, draw: random.Random, suits: str = ".*") -> str:
    """Keep the beginning of a file."""
    file = _pick(folder, draw, suits)
    content = file.read_bytes()
    kept = draw.choice((0, 1, 8, len(content) // 2, max(0, len(content) - 1), draw.randint(0, len(content))))
    file.write_bytes(content[:kept])
    return f"{file.name} cut at {kept}"


def extend(folder: Path, draw: random.Random, suits: str = ".*") -> str:
    """Let a file go on."""
    file = _pick(folder, draw, suits)
    more = draw.choice((b"\0", b"\n", b"}", b"\xff" * 17, draw.randbytes(draw.randint(1, 5000))))
    with file.open("ab") as opened:
        opened.write(more)
    return f"{file.name} with {len(more)} bytes more"


def blot(folder: Path, draw: random.Random, suits: str = ".*") -> str:
    """Write noise or zeros over a part of a file."""
    file = _pick(folder, draw, suits)
    content = bytearray(file.read_bytes())
    start, size = draw.randrange(len(content) + 1), draw.randint(1, 64)
    content[start : start + size] = draw.choice((bytes(size), draw.randbytes(size)))
    file.write_bytes(content)
    return f"{file.name} overwritten at {start}"


def swap(folder: Path, draw: random.Random, suits: str = ".*") -> str:
    """Let two files change places."""
    one, other = _pick(folder, draw, suits), _pick(folder, draw, suits)
    first, second = one.read_bytes(), other.read_bytes()
    one.write_bytes(second)
    other.write_bytes(first)
    return f"{one.name} and {other.name} swapped"


def remove(folder: Path, draw: random.Random) -> str:
    """Take a file away."""
    file = _pick(folder, draw)
    file.unlink()
    return f"no {file.name}"


def misplace(folder: Path, draw: random.Random) -> str:
    """Put something that is no file in the place of one, or a file in the place of a folder."""
    folders = [path for path in sorted(folder.rglob("*")) if path.is_dir()]
    kind = draw.choice(("folder", "pipe", "link", "dangling", "device", *(["file"] if folders else [])))
    if kind == "file":
        place = draw.choice(folders)
        shutil.rmtree(place)
        place.write_text("a file")
        return f"a file in the place of {place.name}/"
    file = _pick(folder, draw)
    file.unlink()
    if kind == "folder":
        file.mkdir()
    elif kind == "pipe":
        os.mkfifo(file)
    else:
        file.symlink_to({"link": "/etc/hostname", "dangling": "/nowhere", "device": "/dev/zero"}[kind])
    return f"a {kind} in the place of {file.name}"


def add(folder: Path, draw: random.Random) -> str:
    """Put a file there that nobody knows."""
    name = draw.choice(("extra.txt", "model.pkl", "weights.PT", f"a{ESCAPES[:9]}b", "\u202egnp.exe", "x" * 200,
                        "parts/x/function.json",
                        os.fsdecode(b"no\xffutf8"), "engines/x/model.onnx", "function.json ", ".hidden"))  # fmt: skip
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text("hello")
    return f"a file {name!a}"


DAMAGES: tuple[Work, ...] = (flip, flip, cut, extend, blot, swap, remove, misplace, misplace, add)


# -- forgeries of JSON ---------------------------------------------------------------------------------------------------


def paths(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Give the place of every value in JSON data, itself first."""
    yield at
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inside:
        yield from paths(one, (*at, key))


def altered(value: Any, draw: random.Random) -> tuple[Any, str]:
    """Return JSON data with something else at one place: shallow places as likely as the many deep ones."""
    everywhere = list(paths(value))
    depth = draw.choice(sorted({len(place) for place in everywhere if place}) or [0])
    place = draw.choice([one for one in everywhere if len(one) == depth])
    if not place:
        return draw.choice(ODD), "another whole"
    owner = value
    for key in place[:-1]:
        owner = owner[key]
    return value, f"{'.'.join(map(str, place))[:60]!a} {_alter(owner, place[-1], draw)}"


def _alter(owner: Any, key: Any, draw: random.Random) -> str:
    """Change one member of an object or a list; return how."""
    how = draw.choice(("odd", "odd", "odd", "gone", "twin", "renamed", "moved", "more", "wild"))
    if how == "gone":
        del owner[key]
    elif how == "twin":
        other = draw.choice(list(owner)) if isinstance(owner, dict) else draw.randrange(len(owner))
        owner[key] = json.loads(json.dumps(owner[other]))
    elif how == "renamed" and isinstance(owner, dict):
        owner[draw.choice(("", "x", ESCAPES, HALF, str(key).upper(), f"{key}."))] = owner.pop(key)
    elif how == "moved" and isinstance(owner, list):
        draw.shuffle(owner)
    elif how == "more":
        owner[key] = [owner[key]] if draw.random() < 0.5 else {str(key): owner[key]}
    elif how == "wild" and isinstance(owner[key], int | float) and not isinstance(owner[key], bool):
        owner[key] = draw.choice((owner[key] + 1, -owner[key], owner[key] * 2, owner[key] * 10**9, owner[key] + 0.5))
    else:
        owner[key] = draw.choice(ODD)
        return f"= {str(owner[key])[:30]!a}"
    return how


def forge_json(suits: str) -> Work:
    """Return what alters one value in a JSON file, or in one line of a file of JSON lines."""

    def work(folder: Path, draw: random.Random) -> str:
        file = _pick(folder, draw, suits)
        lines = file.read_text("utf-8").splitlines() if file.suffix == ".jsonl" else [file.read_text("utf-8")]
        number = draw.randrange(len(lines)) if lines else 0
        told = []
        for _ in range(draw.choice((1, 1, 1, 2, 4))):
            data, what = altered(json.loads(lines[number]), draw)
            lines[number] = json.dumps(data)
            told.append(what)
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return f"{file.name}: {'; '.join(told)}"

    return work


def forge_text(suits: str) -> Work:
    """Return what puts something that is no JSON, or none to be trusted, in the place of a value or a name."""

    def work(folder: Path, draw: random.Random) -> str:
        file = _pick(folder, draw, suits)
        text = file.read_text("utf-8")
        how = draw.choice(("value", "value", "twice", "bytes", "mark", "end", "deep"))
        if how == "twice":
            text = re.sub(r'("\w+"): ', r"\1: 0, \1: ", text, count=1)
        elif how == "deep":
            text = "[" * 50_000 + "]" * 50_000
        elif how == "value" and (values := list(re.finditer(r"(?<=: )(?:-?\d[\d.e+-]*|\"[^\"\\]*\"|true|false|null)", text))):
            chosen = draw.choice(values)
            text = text[: chosen.start()] + draw.choice(_TEXTS) + text[chosen.end() :]
        content = text.encode()
        if how == "bytes":
            place = draw.randrange(len(content) + 1)
            content = content[:place] + draw.choice((b"\xff", b"\xed\xa0\x80", b"\xc0\xaf", b"\x00")) + content[place:]
        elif how == "mark":
            content = draw.choice((b"\xef\xbb\xbf", b"\xff\xfe", b"\x1f\x8b")) + content
        elif how == "end":
            content += draw.choice((b"{}", b",", b"\x00", b"\n\n\n", b" null"))
        file.write_bytes(content)
        return f"{file.name}: {how}"

    return work


# -- forgeries of weights and graphs ----------------------------------------------------------------------------------

_HEADERS = ("length", "overlap", "beyond", "dtype", "shape", "gone", "more", "renamed", "numbers", "header", "metadata", "flat")
_GRAPHS = (
    "dims", "type", "outside", "op", "domain", "input", "output", "gone", "opset", "ports", "fixed", "loop", "name",
)  # fmt: skip


def forge_weights(folder: Path, draw: random.Random) -> str:
    """Write a safetensors file whose header says what is not so."""
    file = _pick(folder, draw, r".*\.safetensors")
    content = file.read_bytes()
    size = struct.unpack("<Q", content[:8])[0]
    header, data = json.loads(content[8 : 8 + size]), content[8 + size :]
    names = [name for name in header if name != "__metadata__"]
    name = draw.choice(names)
    begin, end = header[name]["data_offsets"]
    how = draw.choice(_HEADERS)
    if how == "length":
        claimed = draw.choice((0, size - 1, size + 1, len(content), 2**31, 2**63, 2**64 - 1, 100_000_001))
        file.write_bytes(struct.pack("<Q", claimed) + content[8:])
        return f"{file.name}: a header of {claimed} bytes"
    if how == "overlap":
        header["another"] = dict(header[name])
    elif how == "beyond":
        wrong = ([begin, end + 4], [end, begin], [-1, end], [begin, 2**62], [begin], "x", [0, 0])
        header[name]["data_offsets"] = draw.choice(wrong)
    elif how == "dtype":
        header[name]["dtype"] = draw.choice(("F64", "F16", "BF16", "I32", "I64", "U8", "BOOL", "F8_E4M3", "f32", "object", None))
    elif how == "shape":
        shape = header[name]["shape"]
        wrong = (shape[::-1], [*shape, 1], [1, *shape], [-1], [0], [2**62, 2**62], "x", [end - begin])
        header[name]["shape"] = draw.choice(wrong)
    elif how == "gone":
        del header[name]
    elif how == "more":
        header["another"] = {"dtype": "F32", "shape": [1], "data_offsets": [len(data), len(data) + 4]}
        data += b"\0\0\0\0"
    elif how == "renamed":
        header[draw.choice(("x", ESCAPES, "", f"{name}.x", "__metadata__"))] = header.pop(name)
    elif how == "numbers":
        number = draw.choice((float("nan"), float("inf"), -float("inf"), 1e38, 0.0, 1e-45))
        data = struct.pack("<f", number) * (len(data) // 4)
    elif how == "metadata":
        header["__metadata__"] = draw.choice((7, {"a": 1}, {"a": ESCAPES}, []))
    text = json.dumps(header)
    if how == "header":
        text = draw.choice(("[]", "null", "{", '{"a":' * 9000, text[:-1] + ', "x": NaN}', f'{{"x": 1, {text[1:]}', "x" * 100_000))
    elif how == "flat":
        data = b""
    file.write_bytes(struct.pack("<Q", len(text.encode())) + text.encode() + data)
    return f"{file.name}: {how} of {name}"


def forge_onnx(folder: Path, draw: random.Random) -> str:
    """Write an ONNX graph that is sound protobuf and no sound graph."""
    import onnx

    file = _pick(folder, draw, r".*\.onnx")
    model = onnx.load(file)
    graph = model.graph
    tensor, node = draw.choice(graph.initializer), draw.choice(graph.node)
    how = draw.choice(_GRAPHS)
    if how == "dims":
        del tensor.dims[:]
        tensor.dims.extend(draw.choice(([1], [0], [-1, 3], [2**40, 2**40], [7, 7, 7])))
    elif how == "type":
        tensor.data_type = draw.choice((0, 2, 6, 7, 8, 11, 16, 99))
    elif how == "outside":
        tensor.ClearField("raw_data")
        tensor.data_location = onnx.TensorProto.EXTERNAL
        places = ("../../../../../../etc/passwd", "/etc/passwd", "tokenizer.json", "/dev/zero", "nowhere.bin", ESCAPES)
        place = draw.choice(places)
        tensor.external_data.add(key="location", value=place)
        tensor.external_data.add(key="length", value=draw.choice(("16", "-1", "99999999999", "x")))
    elif how in ("op", "domain"):
        node.op_type, node.domain = ("Nonsense", node.domain) if how == "op" else (node.op_type, ESCAPES)
    elif how == "input" and node.input:
        names = ("", "nothing", graph.output[0].name, draw.choice(graph.node).output[0])
        node.input[draw.randrange(len(node.input))] = draw.choice(names)
    elif how == "output":
        node.output[0] = draw.choice(("", "nothing", draw.choice(graph.node).output[0]))
    elif how == "gone":
        graph.node.remove(node)
    elif how == "opset":
        model.opset_import[0].version = draw.choice((0, 1, 5, 9999, -1))
    elif how == "ports":
        port = draw.choice([*graph.input, *graph.output])
        port.name = draw.choice(("", "x", ESCAPES, graph.input[0].name))
    elif how == "fixed":
        port = draw.choice([*graph.input, *graph.output])
        for axis in port.type.tensor_type.shape.dim:
            axis.dim_value = draw.choice((1, 2, 7, 2**40))
    elif how == "loop":
        node.input.extend(node.output)
    else:
        tensor.name = ESCAPES
    file.write_bytes(model.SerializeToString())
    return f"{file.name}: {how} of {node.op_type} or {tensor.name[:30]!a}"


def forge_openvino(folder: Path, draw: random.Random) -> str:
    """Write an OpenVINO graph that is sound XML and no sound graph."""
    file = _pick(folder, draw, r".*/model\.xml")
    text = file.read_text("utf-8")
    how = draw.choice(("attribute", "attribute", "attribute", "element", "entity", "version", "edge", "shape"))
    if how == "attribute":
        chosen = draw.choice(list(re.finditer(r'(\w+)="([^"]*)"', text)))
        wrong = draw.choice(("", "0", "-1", "1", "7", "9" * 20, "x", "f64", "i32", "Nonsense", "é&#27;[31m", "1,2,3"))
        text = f'{text[: chosen.start()]}{chosen[1]}="{wrong}"{text[chosen.end() :]}'
        how = f"{chosen[1]} = {chosen[2][:20]!a} → {wrong!a}"
    elif how == "element":
        chosen = draw.choice(list(re.finditer(r"<(edge|dim|port|layer|data)\b[^<]*(/>|</\1>)", text)))
        text = text[: chosen.start()] + draw.choice(("", chosen[0] * 2)) + text[chosen.end() :]
    elif how == "entity":
        text = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>' + text.replace('version="11"', 'version="&a;"', 1)
    elif how == "version":
        text = re.sub(r'version="\d+"', f'version="{draw.choice((0, 1, 10, 99, -1))}"', text, count=1)
    elif how == "edge":
        chosen = draw.choice(list(re.finditer(r'from-layer="(\d+)"', text)))
        text = f'{text[: chosen.start()]}from-layer="{draw.choice((0, 1, 5, 100000))}"{text[chosen.end() :]}'
    else:
        chosen = draw.choice(list(re.finditer(r"<dim>(-?\d+)</dim>", text)))
        text = f"{text[: chosen.start()]}<dim>{draw.choice((-1, 0, 1, 3, 2**40))}</dim>{text[chosen.end() :]}"
    file.write_text(text, encoding="utf-8")
    return f"{file.name}: {how}"


# -- forgeries of whole members ----------------------------------------------------------------------------------------


def empty(folder: Path, draw: random.Random, suits: str = ".*") -> str:
    """Leave a member without content."""
    file = _pick(folder, draw, suits)
    file.write_bytes(draw.choice((b"", b"\n", b"{}", b"[]", b"null")))
    return f"{file.name} emptied"


def forget(folder: Path, draw: random.Random) -> str:
    """Take what would replay away, and change something besides: nothing tells that the outputs are others."""
    for file in _members(folder, r"golden\.jsonl"):
        file.unlink()
    rest = [work for work, suits in FORGERIES if work is not forget and _suits(folder, suits)]
    return f"no golden.jsonl; {draw.choice(rest)(folder, draw)}"


def knot(folder: Path, draw: random.Random) -> str:
    """Let parts lie in one another, in themselves, or in the same place."""
    file = folder / MANIFEST
    data = json.loads(file.read_text("utf-8"))
    for form in data["forms"]:
        if "parts" in form:
            names = list(form["parts"])
            inner = f"parts/{names[0]}"
            place = draw.choice((".", "..", "", "parts", inner, f"{inner}/parts/x", "engines/x", "parts/x/../x"))
            form["parts"][draw.choice(names)] = place
            if draw.random() < 0.3:
                shutil.copytree(folder, folder.parent / f"{folder.name}-inner")
                shutil.rmtree(folder / "parts" / names[0])
                (folder.parent / f"{folder.name}-inner").rename(folder / "parts" / names[0])
    file.write_text(json.dumps(data), encoding="utf-8")
    return "parts in one another"


CONTENT = r"(?!function\.json|README).*"
"""The members that a function is made of."""
FORGERIES: tuple[tuple[Work, str], ...] = (
    *[(forge_json(r"function\.json"), r"function\.json")] * 4,
    (forge_json(r"golden\.jsonl"), r"golden\.jsonl"),
    (forge_json(r"report\.json"), r"report\.json"),
    (forge_json(r".*tokenizer\.json"), r".*tokenizer\.json"),
    (forge_text(r"function\.json"), r"function\.json"),
    (forge_text(r"(golden|report|.*tokenizer)\.jsonl?"), r"(golden|report|.*tokenizer)\.jsonl?"),
    *[(forge_weights, r".*\.safetensors")] * 2,
    *[(forge_onnx, r".*\.onnx")] * 3,
    *[(forge_openvino, r".*/model\.xml")] * 3,
    *((partial(work, suits=CONTENT), CONTENT) for work in (flip, flip, cut, extend, blot, swap, empty)),
    (forget, r"golden\.jsonl"),
    *[(knot, r"parts/[^/]+/function\.json")] * 2,
)
"""What may be done before the hashes are written again, each with the files that it needs."""
