"""Pack the normalisation table as SentencePiece and the tokenizers library read it: a double-array trie.

The form (darts-clone): u32 size of the trie in bytes, the trie's u32 units, then the replacements, each
ended by a zero byte. A node has a place and a base; its child for byte c stands at base ^ c. The unit there
holds c in its low 8 bits, "a value follows" in bit 8, and its own place ^ base from bit 10 on; the value
stands at base ^ 0, marked by the top bit. Aoe 1989, "An efficient digital search algorithm by using a
double-array structure".
"""

from __future__ import annotations

import struct

HAS_VALUE, IS_VALUE = 1 << 8, 1 << 31


def charsmap(table: dict[int, str]) -> bytes:
    """Return the packed table.

    :param table: which code point becomes which text; an empty text drops it.
    """
    trie: dict[int, object] = {}
    texts = bytearray()
    places: dict[str, int] = {}
    for point, text in sorted(table.items()):
        if text not in places:
            places[text] = len(texts)
            texts += text.encode() + b"\0"
        *path, last = chr(point).encode()
        node = trie
        for byte in path:
            node = node.setdefault(byte, {})  # type: ignore[assignment]
        node[last] = {0: places[text]}
    units = _double_array(trie)
    packed = struct.pack(f"<{len(units)}I", *units)
    return struct.pack("<I", len(packed)) + packed + bytes(texts)


def _double_array(trie: dict[int, object]) -> list[int]:
    """Lay the trie out: a node takes the first base of its own at which its children find free places."""
    units: dict[int, int] = {0: 0}
    bases = {0}
    tried: dict[tuple[int, ...], int] = {}  # places only fill up: nodes alike need not look where one failed
    waiting: list[tuple[int, dict[int, object]]] = [(0, trie)]
    while waiting:
        place, node = waiting.pop()
        children = tuple(sorted(node))
        base = tried.get(children, 1)
        while base in bases or any(base ^ byte in units for byte in children):
            base += 1
        tried[children] = base
        bases.add(base)
        units[place] |= (place ^ base) << 10 | (HAS_VALUE if 0 in node else 0)
        for byte, child in node.items():
            if byte == 0:
                units[base] = int(child) | IS_VALUE  # type: ignore[call-overload]
            else:
                units[base ^ byte] = byte
                waiting.append((base ^ byte, child))  # type: ignore[arg-type]
    # A lookup may step to any place of a base's block of 256; it must find a unit there that is nobody's.
    size = (max(*units, *bases) | 255) + 1
    return [units.get(place, 0) for place in range(size)]
