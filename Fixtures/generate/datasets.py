"""Writes Fixtures/datasets: a class-balanced subset of Fashion-MNIST and the UCI 8x8 digits.

    python Fixtures/generate/datasets.py [--fashion-mnist FOLDER]

FOLDER holds the four IDX files of Fashion-MNIST; its default is where Debian's package
dataset-fashion-mnist puts them. The digits come from the installed scikit-learn.
The rule is deterministic, so the same sources give the same uncompressed bytes everywhere;
the gzip bytes also depend on the version of zlib, and provenance.json holds both hashes.
"""

import argparse
import gzip
import hashlib
import importlib.metadata
import json
import pathlib
import struct
import zlib

import numpy as np
import sklearn.datasets

DATASETS = pathlib.Path(__file__).resolve().parent.parent / "datasets"
TRAINING_PER_CLASS = 256
TEST_PER_CLASS = 52

FASHION_LICENSE = """\
Fashion-MNIST: https://github.com/zalandoresearch/fashion-mnist
The subset in this folder was taken from Debian's package dataset-fashion-mnist.

The MIT License (MIT)

Copyright (c) 2017 Zalando SE, https://tech.zalando.com

Permission is hereby granted, free of charge, to any person obtaining a copy
of this software and associated documentation files (the "Software"), to deal
in the Software without restriction, including without limitation the rights
to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all
copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE
SOFTWARE.
"""

DIGITS_LICENSE = """\
Optical Recognition of Handwritten Digits, by E. Alpaydin and C. Kaynak (1998),
UCI Machine Learning Repository, https://doi.org/10.24432/C50P49

Licensed under the Creative Commons Attribution 4.0 International licence (CC BY 4.0),
https://creativecommons.org/licenses/by/4.0/

Changes: the numbers are those of the file digits.csv.gz of scikit-learn, which carries the test
part of the UCI set (1,797 images); this copy writes them as integers, with a header line and the
label as last column.
"""


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def read_idx(data: bytes) -> np.ndarray:
    """The array of an uncompressed IDX file of unsigned bytes."""
    zero, kind, rank = struct.unpack(">HBB", data[:4])
    if zero != 0 or kind != 8:
        raise ValueError("not an IDX file of unsigned bytes")
    shape = struct.unpack(f">{rank}I", data[4 : 4 + 4 * rank])
    return np.frombuffer(data, np.uint8, offset=4 + 4 * rank).reshape(shape)


def idx(array: np.ndarray) -> bytes:
    header = struct.pack(">HBB", 0, 8, array.ndim) + struct.pack(f">{array.ndim}I", *array.shape)
    return header + np.ascontiguousarray(array, np.uint8).tobytes()


def first_of_each_class(labels: np.ndarray, count: int) -> np.ndarray:
    """Indices of the first `count` examples of every class, in file order."""
    chosen = np.concatenate([np.flatnonzero(labels == c)[:count] for c in np.unique(labels)])
    return np.sort(chosen)


def write(folder: pathlib.Path, name: str, data: bytes) -> dict:
    (folder / name).write_bytes(data)
    return {"name": name, "bytes": len(data), "sha256": sha256(data)}


def write_json(path: pathlib.Path, value: dict) -> None:
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def fashion_mnist(source: pathlib.Path) -> None:
    folder = DATASETS / "fashion-mnist"
    folder.mkdir(parents=True, exist_ok=True)
    files, sources = [write(folder, "LICENSE", FASHION_LICENSE.encode())], []
    for part, per_class in [("train", TRAINING_PER_CLASS), ("t10k", TEST_PER_CLASS)]:
        arrays = {}
        for kind in ["images-idx3", "labels-idx1"]:
            name = f"{part}-{kind}-ubyte.gz"
            packed = (source / name).read_bytes()
            plain = gzip.decompress(packed)
            arrays[kind] = read_idx(plain)
            sources.append(
                {"name": name, "sha256": sha256(packed), "sha256Uncompressed": sha256(plain)}
            )
        chosen = first_of_each_class(arrays["labels-idx1"], per_class)
        for kind, array in arrays.items():
            plain = idx(array[chosen])
            # No name and time 0 in the header, so that the bytes depend on the data alone.
            packed = gzip.compress(plain, compresslevel=9, mtime=0)
            entry = write(folder, f"{part}-{kind}-ubyte.gz", packed)
            entry["sha256Uncompressed"] = sha256(plain)
            entry["shape"] = list(array[chosen].shape)
            files.append(entry)
    write_json(
        folder / "provenance.json",
        {
            "title": "Fashion-MNIST, class-balanced subset",
            "upstream": "https://github.com/zalandoresearch/fashion-mnist",
            "package": "Debian dataset-fashion-mnist 0.0~git20200523.55506a9-1",
            "license": "MIT, see LICENSE",
            "rule": f"the first {TRAINING_PER_CLASS} training and the first {TEST_PER_CLASS} test "
            "images of each of the 10 classes, kept in file order",
            "classes": [
                "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
                "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
            ],
            "generator": "Fixtures/generate/datasets.py",
            "versions": {"numpy": np.__version__, "zlib": zlib.ZLIB_RUNTIME_VERSION},
            "sources": sources,
            "files": files,
        },
    )  # fmt: skip


def digits() -> None:
    folder = DATASETS / "digits"
    folder.mkdir(parents=True, exist_ok=True)
    bunch = sklearn.datasets.load_digits()
    pixels, labels = bunch.data.astype(int), bunch.target.astype(int)
    if pixels.shape != (1797, 64) or (pixels != bunch.data).any() or not 0 <= pixels.min():
        raise ValueError("scikit-learn's digits are not the 1797 images of 64 whole numbers")
    header = [f"pixel_{row}_{column}" for row in range(8) for column in range(8)] + ["label"]
    rows = [",".join(header)]
    rows += [",".join(map(str, [*image, label])) for image, label in zip(pixels, labels)]
    text = "\n".join(rows) + "\n"
    source = pathlib.Path(sklearn.datasets.__file__).parent / "data" / "digits.csv.gz"
    write_json(
        folder / "provenance.json",
        {
            "title": "UCI optical recognition of handwritten digits, 8x8, as carried by "
            "scikit-learn: the test part of the UCI set, 1797 images",
            "upstream": "https://doi.org/10.24432/C50P49",
            "package": f"scikit-learn {importlib.metadata.version('scikit-learn')}",
            "license": "CC BY 4.0, see LICENSE",
            "rule": "every row in scikit-learn's order; 64 pixels 0...16 row by row, then the label",
            "generator": "Fixtures/generate/datasets.py",
            "versions": {"numpy": np.__version__},
            "sources": [{"name": source.name, "sha256": sha256(source.read_bytes())}],
            "files": [
                write(folder, "LICENSE", DIGITS_LICENSE.encode()),
                write(folder, "digits.csv", text.encode()),
            ],
        },
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--fashion-mnist", type=pathlib.Path, default="/usr/share/datasets/fashion-mnist"
    )
    fashion_mnist(parser.parse_args().fashion_mnist)
    digits()
