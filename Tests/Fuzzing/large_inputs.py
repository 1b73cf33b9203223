"""Writes inputs of about 8 MB that need as much memory as their format allows.

Usage: large_inputs.py READER FOLDER.
"""
import gzip
import io
import pathlib
import sys
import zipfile

from seeds import idx, npy

SIZE = 8 << 20


def repeated(start, part, end):
    count = SIZE // len(part)
    return start + part * count + end


KINDS = {
    "npy": {
        "bytes": lambda: npy("|u1", f"({1 << 16},)", bytes(1 << 16)),
        "doubles": lambda: npy("<f8", f"({1 << 16},)", bytes(1 << 19)),
        "fortran": lambda: npy("<f8", "(256, 256)", bytes(1 << 19), order="True"),
        "over-limit": lambda: npy("|u1", f"({SIZE},)", bytes(SIZE)),
    },
    "npz": {},
    "idx": {"bytes": lambda: idx(1 << 19), "cut": lambda: idx(1 << 19) + bytes(SIZE)},
    "gzip": {
        "bomb": lambda: gzip.compress(bytes(1 << 28), mtime=0),
        "at-the-limit": lambda: gzip.compress(bytes(1 << 19), mtime=0),
        "many-members": lambda: repeated(b"", gzip.compress(b"", mtime=0), b""),
    },
    "json": {
        "numbers": lambda: repeated(b"[", b"0,", b"0]"),
        "arrays": lambda: repeated(b"[", b"[],", b"0]"),
        "arrays-of-one": lambda: repeated(b"[", b"[0],", b"0]"),
        "objects-of-one": lambda: repeated(b"[", b'{"":0},', b"0]"),
        "strings": lambda: repeated(b"[", b'"",', b"0]"),
        "long-string": lambda: repeated(b'"', b"a", b'"'),
        "escapes": lambda: repeated(b'"', b"\\n", b'"'),
        "members": lambda: b"{" + b",".join(b'"%x":0' % i for i in range(SIZE // 9)) + b"}",
    },
    "csv": {
        "header": lambda: repeated(b"", b",", b"\n"),
        "one-row": lambda: repeated(b"", b",", b"y\n") + repeated(b"", b"0,", b"0\n"),
        "labels": lambda: repeated(b"y\n", b"0\n", b""),
        "wide": lambda: repeated(b"x,y\n", b"0,0\n", b""),
        "blank-lines": lambda: repeated(b"", b",", b"y\n") + repeated(b"", b"\n", b""),
        "long-cells": lambda: repeated(b"x,y\n", b"0000000000000001,0\n", b""),
        "long-name": lambda: repeated(b'"', b"\n", b'",y\na,0\n'),
    },
}


def archive(method, *contents):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as packed:
        for number, content in enumerate(contents):
            packed.writestr(f"{number}.npy", content)
    return file.getvalue()


KINDS["npz"] = {
    "bomb": lambda: archive(zipfile.ZIP_DEFLATED, npy("|u1", f"({1 << 27},)", bytes(1 << 27))),
    "deflated": lambda: archive(zipfile.ZIP_DEFLATED, npy("<f8", "(256, 128)", bytes(1 << 18))),
    "stored": lambda: archive(zipfile.ZIP_STORED, npy("<f8", "(256, 256)", bytes(1 << 19))),
    "many": lambda: archive(zipfile.ZIP_DEFLATED, *[npy("|u1", "(1,)", bytes(1))] * 20000),
    "foreign": lambda: archive(zipfile.ZIP_STORED, bytes(SIZE)),
}

if __name__ == "__main__":
    reader, folder = sys.argv[1:]
    pathlib.Path(folder).mkdir(parents=True, exist_ok=True)
    for name, contents in KINDS[reader].items():
        pathlib.Path(folder, name).write_bytes(contents())
