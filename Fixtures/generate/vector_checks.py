"""Checks of Fixtures/vectors/cases, run by check.py: schema, hashes, index, the loader of the
README, regeneration to the same bytes, and agreement with NumPy."""

import json
import pathlib
import re
import tempfile
import zipfile

import numpy as np

import certified_numbers
import cross_check
import vectors
from case_writer import PRIME_SIZES
from mistake_distances import check_distances
from numpy_reference import npy_bytes, sha256
from peer_checks import check_peers
from schema_validator import problems
from trajectory_checks import check_coverage, check_regenerated, check_trajectory

FIXTURES = pathlib.Path(__file__).resolve().parent.parent
VECTORS = FIXTURES / "vectors"
BUDGET = 4_000_000
MEAN_LIMIT = 30 * 2**-52
PRIME_CASES = 63
BY_HAND_OR_PEERS = {"CHANGES.md", "peers.json", "peers.npz"}
LOADER = re.compile(r"```python\n(# The loader\..*?)```", re.DOTALL)


def loader(report):
    """The functions of the README's loader, by running its text."""
    found = LOADER.search((FIXTURES / "README.md").read_text())
    report.check(found is not None, "Fixtures/README.md has no block that begins '# The loader.'")
    names = {}
    if found:
        lines = [line for line in found[1].splitlines() if line.strip()]
        report.check(len(lines) <= 25, f"the loader of the README has {len(lines)} lines, not 25")
        exec(found[1], names)
    return names


def entries_of(case):
    return [entry for stage in case["stages"] for entry in stage["arrays"]]


def check_description(report, folder, schema):
    case = json.loads((folder / "case.json").read_text())
    for sentence in problems(case, schema):
        report.check(False, f"{folder.name}/case.json: {sentence}")
    name = f"{folder.parent.name}/{folder.name}"
    report.check(case["id"] == name, f"{name}: case.json calls it {case['id']}")
    data = (folder / "arrays.npz").read_bytes()
    report.check(sha256(data) == case["files"][0]["sha256"], f"{name}: arrays.npz has changed")
    with np.load(folder / "arrays.npz", allow_pickle=False) as file:
        arrays = {key: file[key] for key in file.files}
    entries = entries_of(case)
    report.check([e["name"] for e in entries] == list(arrays), f"{name}: other arrays are listed")
    for entry in entries:
        array = arrays[entry["name"]]
        report.check(
            sha256(npy_bytes(array)) == entry["sha256"], f"{name} {entry['name']}: sha256 differs"
        )
        described = list(array.shape) == entry["shape"] and array.dtype.str == "<" + entry.get(
            "dtype", "f8"
        )
        report.check(described, f"{name} {entry['name']}: shape or dtype differs")
        report.check(bool(np.isfinite(array).all()), f"{name} {entry['name']}: not finite")
    return case


def sizes(case):
    """N, the input's features or channels, positions, and the rows of every block; dA and dG."""
    model = case["model"]
    if "network" not in model:
        return [model["dA"], model["dG"]]
    shape = model["network"]["inputShape"]
    kind, given = next(iter(shape.items()))
    rows = [block["rows"] for block in model["network"]["parameters"]]
    return [case["data"]["N"], *([given] if kind == "vector" else given.values()), *rows]


def has_given(case):
    return "probabilities" in case["model"].get("likelihood", {})


def check_sizes(report, cases):
    """Sizes are distinct primes from 3 on where the case says so, and most cases do."""
    count = 0
    for case in cases:
        found = sizes(case)
        distinct = len(set(found)) == len(found)
        primes = all(x > 2 and all(x % k for k in range(2, x)) for x in found)
        count += distinct and primes
        stated = case["data"]["sizes"] == PRIME_SIZES
        report.check(stated == (distinct and primes), f"{case['id']}: sizes {found}")
    report.check(count >= PRIME_CASES, f"{count} cases have distinct prime sizes")


def check_index(report):
    index = json.loads((VECTORS / "index.json").read_text())
    listed = {entry["id"]: entry for entry in index["cases"]}
    present = {
        f"{path.parent.parent.name}/{path.parent.name}": path
        for path in VECTORS.glob("cases/*/*/case.json")
    }
    report.check(len(listed) == len(index["cases"]), "index.json lists a case twice")
    report.check(listed.keys() == present.keys(), "index.json does not list what is there")
    version = (VECTORS / "VERSION").read_text().strip()
    report.check(index["version"] == version, "index.json and VERSION differ")
    for name in sorted(listed.keys() & present.keys()):
        digest = sha256(present[name].read_bytes())
        report.check(digest == listed[name]["sha256"], f"{name}: case.json has changed")
    size = sum(path.stat().st_size for path in VECTORS.rglob("*") if path.is_file())
    report.check(size <= BUDGET, f"Fixtures/vectors takes {size:,} bytes, more than {BUDGET:,}")
    return sorted(present.values())


def check_values(report, folder, case, arrays, limits, agrees):
    """Against NumPy's float64, for every array that is not an input. Means of exact sums too."""
    ours = cross_check.recomputed(case, arrays)
    for stage in case["stages"]:
        for entry in stage["arrays"] if stage["name"] != "inputs" else []:
            name = entry["name"].removesuffix(".sum")
            if name not in ours:
                report.check(False, f"{case['id']} {name}: NumPy does not compute it")
                continue
            limit = max(limits[name], MEAN_LIMIT)
            report.check(
                agrees(ours[name], arrays[name], limit),
                f"{case['id']} {name}: NumPy differs by more than {limit:.1e}",
            )


def unpacked(path):
    """The bytes that say something: of an .npz its members, as another zlib packs them otherwise;
    of a description all but the size and sha256 of what is packed, which other checks cover."""
    if path.suffix == ".npz":
        with zipfile.ZipFile(path) as archive:
            return [(name, archive.read(name)) for name in archive.namelist()]
    text = path.read_text()
    if path.name == "case.json":
        return {**json.loads(text), "files": None}
    if path.name == "index.json":
        index = json.loads(text)
        for entry in index["cases"]:
            entry["bytes"] = entry["sha256"] = None
        return index
    return text


def check_regeneration(report, agrees):
    """The same bytes again, of everything that vectors.py writes, before packing; of T4, which is
    float64, what trajectory_checks asks."""
    with tempfile.TemporaryDirectory() as name:
        fresh = pathlib.Path(name)
        vectors.write(fresh, list(vectors.TIERS))
        stored = {path.relative_to(VECTORS) for path in VECTORS.rglob("*") if path.is_file()}
        stored = {p for p in stored if p.parts[0] != "peers" and p.name not in BY_HAND_OR_PEERS}
        written = {path.relative_to(fresh) for path in fresh.rglob("*") if path.is_file()}
        report.check(stored == written, f"regeneration writes other files: {stored ^ written}")
        for path in sorted(stored & written):
            if path.parts[:2] == ("cases", "t4"):
                if path.name == "case.json":
                    check_regenerated(report, VECTORS / path.parent, fresh / path.parent, agrees)
                continue
            same = unpacked(VECTORS / path) == unpacked(fresh / path)
            report.check(same, f"{path}: regenerated bytes differ")


def check_digits(report):
    """The same arrays with 30 more digits: no rounding to a double hangs on the last digits."""
    certified_numbers.EXTRA_DIGITS = 30
    with tempfile.TemporaryDirectory() as name:
        fresh = pathlib.Path(name)
        entries = vectors.generate(fresh, ["t1", "t2", "t3"])
        for entry in entries:
            path = pathlib.Path("cases") / entry["id"] / "arrays.npz"
            same = unpacked(VECTORS / path) == unpacked(fresh / path)
            report.check(same, f"{path}: differs with 30 more digits")
    certified_numbers.EXTRA_DIGITS = 0


def check_vectors(report, everything):
    schema = json.loads((VECTORS / "schema" / "vector-1.schema.json").read_text())
    names = loader(report)
    cases = []
    for path in check_index(report):
        folder = path.parent
        case = check_description(report, folder, schema)
        cases.append(case)
        if "load_case" in names:
            loaded, arrays, limits = names["load_case"](folder)
            report.check(loaded == case, f"{case['id']}: the README's loader reads another case")
            if case["tier"] == "T4":
                check_trajectory(report, case, arrays, limits, names["agrees"])
            else:
                check_values(report, folder, case, arrays, limits, names["agrees"])
        if case["tier"] == "T1":
            check_distances(report, case, arrays)
        if (folder / "peers.json").exists():
            check_peers(report, folder)
        else:
            asked = case["tier"] == "T1" or (case["tier"] == "T0" and not has_given(case))
            report.check(not asked, f"{case['id']}: there is no peers.json")
    check_sizes(report, cases)
    check_coverage(report, cases)
    if "agrees" in names:
        check_regeneration(report, names["agrees"])
    if everything:
        check_digits(report)
