#!/usr/bin/python3
"""Writes corpus/checkpoint: files without the digest at their end, which the fuzz target adds."""
import hashlib
import os
import re
import struct

HERE = os.path.dirname(os.path.abspath(__file__))
ROWS = os.path.join(HERE, "../../engine/src/train/checkpoint.def")
RECIPE = b'{"name":"x","epochs":3,"layers":[{"op":"Flatten"}]}'
EPOCH = struct.pack("<8d", 0.1, 2.3, 0.1, float("nan"), float("nan"), 2.2, 0.2, 1.5)
GOOD = {"RCPE": RECIPE, "TRDA": b"ab" * 32, "TEDA": b"cd" * 32, "ORIG": b"", "CHNG": b"",
        "STEP": struct.pack("<Q", 40), "NAVG": struct.pack("<Q", 0), "BEPO": struct.pack("<Q", 0),
        "BEST": struct.pack("<d", 0), "EPOC": EPOCH * 2, "WGHT": struct.pack("<3f", 1, -2, 0.5),
        "MEMO": b"", "AVRG": b"", "KEPT": b""}


def checkpoint(version=1, tags=None, **chunks):
    file = b"classifyd checkpoint\n" + struct.pack("<I", version)
    for tag in tags or re.findall(r'^CHUNK\("(\w{4})"', open(ROWS).read(), re.M):
        body = chunks.get(tag, GOOD[tag])
        file += tag.encode() + struct.pack("<Q", len(body)) + body
    return file


def main():
    folder = os.path.join(HERE, "corpus/checkpoint")
    os.makedirs(folder, exist_ok=True)
    good = checkpoint()
    changed = RECIPE.replace(b'"epochs":3', b'"epochs":4,"seed":[1,{"a":null}]')
    files = {
        "good": good, "empty": b"", "magic": good[:21], "cut": good[:-5], "longer": good + b"x",
        "version": checkpoint(version=2), "order": checkpoint(tags=["TRDA", "RCPE"]),
        "huge_chunk": good[:25] + b"RCPE" + b"\xff" * 8 + b"x", "odd_floats": checkpoint(WGHT=b"12345"),
        "odd_epochs": checkpoint(EPOC=b"1" * 65), "short_count": checkpoint(STEP=b"123"),
        "nul": checkpoint(RCPE=b"{}\0{}"), "not_json": checkpoint(RCPE=b"{"),
        "other_recipe": checkpoint(RCPE=changed), "allowed": checkpoint(RCPE=RECIPE.replace(b"3", b"5")),
        "changes": checkpoint(RCPE=RECIPE.replace(b"3", b"5"), CHNG=b'["before"]'),
        "changes_object": checkpoint(RCPE=RECIPE.replace(b"3", b"5"), CHNG=b'{"a":1}'),
        "everything": checkpoint(MEMO=struct.pack("<6f", *range(6)), AVRG=struct.pack("<3f", 1, 2, 3),
                                 KEPT=struct.pack("<3f", 3, 2, 1), NAVG=struct.pack("<Q", 7)),
        "whole_file": good + hashlib.sha256(good).hexdigest().encode(),
    }
    for name, data in files.items():
        with open(os.path.join(folder, name), "wb") as file:
            file.write(data)


if __name__ == "__main__":
    main()
