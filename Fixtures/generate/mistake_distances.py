"""How far the mistakes of mistakes.py are from the right values of a T1 case and from each other.

python Fixtures/generate/mistake_distances.py    # CSV; check.py asks that all are told apart
"""

import pathlib

import numpy as np

from mistakes import RIGHT, signatures
from peer_checks import certified

TOLD_APART = 1e-3


def distance(x, y):
    """The largest relative difference of one array, 1 where shapes differ or one is missing."""
    largest = 0.0
    for name in x.keys() | y.keys():
        p, q = x.get(name), y.get(name)
        if p is None or q is None or p.shape != q.shape:
            return 1.0
        scale = max(np.abs(p).max(), np.abs(q).max()) or 1.0
        norm = max(np.linalg.norm(p / scale), np.linalg.norm(q / scale)) or 1.0
        largest = max(largest, np.linalg.norm((p - q) / scale) / norm)
    return float(largest)


def check_distances(report, case, arrays):
    """Every mistake is TOLD_APART from the right values and from every other one, but for those that
    the case lists with a reason, which agree with the right values; flags are among the told."""
    found = signatures(case, arrays)
    alike = {mistake for entry in case.get("alike", []) for mistake in entry["mistakes"]}
    names = [mistake for mistake in found if mistake not in alike]
    for index, mistake in enumerate(names):
        for other in names[:index]:
            apart = distance(found[mistake], found[other])
            report.check(
                apart >= TOLD_APART, f"{case['id']}: {mistake} is {apart:.0e} from {other}"
            )
    for mistake in sorted(alike):
        apart = distance(found[mistake], found[RIGHT])
        report.check(apart < TOLD_APART, f"{case['id']}: {mistake} is {apart:.0e} from right")
    unshown = set(case["flags"]) - set(names)
    report.check(not unshown, f"{case['id']}: the flags {sorted(unshown)} are not shown")


def main():
    folder = pathlib.Path(__file__).resolve().parent.parent / "vectors" / "cases" / "t1"
    print("case,mistake,distance from right,nearest mistake,distance from it")
    for path in sorted(folder.glob("*/case.json")):
        case, arrays, _ = certified(path.parent)
        found = signatures(case, arrays)
        for mistake in sorted(found.keys() - {RIGHT}):
            others = [(distance(found[mistake], found[m]), m) for m in found if m != mistake]
            nearest, name = min(pair for pair in others if pair[1] != RIGHT)
            right = next(d for d, m in others if m == RIGHT)
            print(f"{case['id']},{mistake},{right:.1e},{name},{nearest:.1e}")


if __name__ == "__main__":
    main()
