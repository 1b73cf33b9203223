"""The peers' values beside a test vector: reading them, and checking them with NumPy alone.

`peers.json` lists what other libraries computed, converted to our conventions, and how far it is
from the certified value; `peers.npz` holds the difference, so that certified value plus difference
is the converted value to the bit. An array that is not in `peers.npz` is zero everywhere. Where the
two are too far apart for one addition the value itself is stored, and `stored` says so."""

import json

import numpy as np

from numpy_reference import sha256

ROUND_OFF = 30 * 2**-52


def certified(folder):
    """Arrays and limits by name; of an exact sum also the mean, one division away."""
    case = json.loads((folder / "case.json").read_text())
    with np.load(folder / "arrays.npz", allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    limits = {}
    for entry in [entry for stage in case["stages"] for entry in stage["arrays"]]:
        name = entry["name"].removesuffix(".sum")
        limits[name] = max(entry.get("limit", 0), ROUND_OFF)
        if "divisor" in entry:
            arrays[name] = arrays[entry["name"]] / entry["divisor"]
    return case, arrays, limits


def part(array, name):
    """The part of a certified array that a library has."""
    return array[:-1, :-1] if name == "without bias" else array


def difference(x, y):
    """|x - y| / |y| in the Frobenius norm, also where squares would underflow; |x - y| for y = 0."""
    scale = np.abs(y).max() or 1.0
    norm = np.linalg.norm(np.ravel(y) / scale) or 1.0
    return float(np.linalg.norm(np.ravel(x - y) / scale) / norm)


def check_peers(report, folder):
    """The stored values have the stated differences; a difference above the limit is explained."""
    case, arrays, limits = certified(folder)
    peers = json.loads((folder / "peers.json").read_text())
    name = case["id"]
    report.check(peers["id"] == name, f"{name}: peers.json calls it {peers['id']}")
    stored, used = {}, set()
    for entry in peers["files"]:
        data = (folder / entry["name"]).read_bytes()
        report.check(sha256(data) == entry["sha256"], f"{name}: {entry['name']} has changed")
        with np.load(folder / entry["name"], allow_pickle=False) as file:
            stored = {key: file[key] for key in file.files}
    for peer in peers["peers"]:
        for group in peer["quantities"]:
            for entry in group["values"]:
                key = f"{peer['library']}.{entry['name']}"
                used.add(key)
                if entry["name"] not in arrays:
                    report.check(False, f"{name}: there is no {entry['name']} for {key}")
                    continue
                right = part(arrays[entry["name"]], group.get("part"))
                delta = stored.get(key, np.zeros_like(right))
                if delta.shape != right.shape:
                    report.check(False, f"{name} {key}: shape {delta.shape}, not {right.shape}")
                    continue
                value = delta if entry.get("stored") == "value" else right + delta
                found, stated = difference(value, right), entry["difference"]
                report.check(
                    abs(found - stated) <= 0.06 * stated,  # two digits are stated
                    f"{name} {key}: differs by {found:.1e}, stated is {stated:.1e}",
                )
                report.check(
                    found <= limits[entry["name"]] or "finding" in entry,
                    f"{name} {key}: differs by {found:.1e}, which no finding explains",
                )
                finding = entry.get("finding")
                report.check(
                    finding is None or finding in peers["findings"],
                    f"{name} {key}: there is no finding {finding}",
                )
    report.check(stored.keys() <= used, f"{name}: peers.npz has more than peers.json lists")
