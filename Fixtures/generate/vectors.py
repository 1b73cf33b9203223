"""Writes the test vectors of Fixtures/vectors: cases, index, schema, version.

    python Fixtures/generate/vectors.py [--output FOLDER] [--tiers t0,t1,t2,t3,t4]

T0 is computed by exact rationals, T1 to T3 by mpmath at 50 digits (more where the case says so) and
rounded once. Their bytes depend on nothing but this code and the versions in requirements.txt;
NumPy only writes files. T4 is computed by NumPy in float64, so that the last digits depend on the
machine's BLAS and libm: run it for T4 alone only to change a case.
"""

import argparse
import json
import pathlib
import shutil

import certified
import exact
import graded
import statistical
import trajectories
import vector_schema
from case_writer import VERSION, json_text

VECTORS = pathlib.Path(__file__).resolve().parent.parent / "vectors"
TIERS = {
    "t0": exact.cases,
    "t1": certified.cases,
    "t2": graded.cases,
    "t3": statistical.cases,
    "t4": trajectories.cases,
}


def generate(folder, tiers):
    entries = []
    for tier in tiers:
        written = [write(folder) for write in TIERS[tier]()]
        remove_others(folder / "cases", tier, {entry["id"] for entry in written})
        entries += written
    return entries


def remove_others(cases, tier, ids):
    """Folders of cases that are no more; what peer_values.py wrote beside the others stays."""
    for folder in cases.glob(f"{tier}/*"):
        if f"{tier}/{folder.name}" not in ids:
            shutil.rmtree(folder)


def write_schema(folder):
    path = folder / "schema" / "vector-1.schema.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json_text(vector_schema.SCHEMA))


def write_index(folder, entries):
    index = {
        "schemaVersion": "1.0",
        "version": VERSION,
        "cases": sorted(entries, key=lambda e: e["id"]),
    }
    (folder / "index.json").write_text(json_text(index))
    (folder / "VERSION").write_text(VERSION + "\n")


def write(folder, tiers):
    """Everything; of tiers that are not asked for the index keeps its lines."""
    entries = generate(folder, tiers)
    path = folder / "index.json"
    if path.exists():
        old = json.loads(path.read_text())["cases"]
        entries += [entry for entry in old if entry["tier"].lower() not in tiers]
    write_index(folder, entries)
    write_schema(folder)
    return entries


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=pathlib.Path, default=VECTORS)
    parser.add_argument("--tiers", default=",".join(TIERS))
    arguments = parser.parse_args()
    entries = write(arguments.output, arguments.tiers.split(","))
    print(f"{len(entries)} cases, {sum(entry['bytes'] for entry in entries):,} bytes")


if __name__ == "__main__":
    main()
