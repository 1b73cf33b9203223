"""The list of mutations: drawn once over all sites, kept as CSV, found again after edits."""
from __future__ import annotations

import csv
import difflib
import hashlib
import io
import subprocess
from dataclasses import dataclass
from pathlib import Path

from mutation import sites

ROOT = Path(__file__).resolve().parent.parent.parent
MODULES = ["DenseAlgebra", "Networks", "Curvature", "Optimization", "Verification"]
# The museum: deliberately wrong variants, which no result rests on.
LEFT_OUT = "Sources/Verification/Mistakes/"
COLUMNS = ["id", "file", "line", "column", "occurrence", "text", "operator", "before", "after"]


class Refusal(Exception):
    """A sentence for the person at the keyboard; exit code 2."""


@dataclass(frozen=True)
class Mutation:
    id: int
    file: str
    line: int
    column: int
    occurrence: int
    text: str
    operator: str
    before: str
    after: str

    @property
    def module(self) -> str:
        return self.file.split("/")[1]

    def start(self, source: str) -> int | None:
        """Where the mutation applies in its file's text; nothing when the site is gone."""
        offset, seen = 0, 0
        for line in source.split("\n"):
            if line.strip() == self.text:
                seen += 1
                if seen == self.occurrence:
                    start = offset + len(line) - len(line.lstrip(" ")) + self.column - 1
                    return start if source.startswith(self.before, start) else None
            offset += len(line) + 1
        return None

    def applied(self, source: str) -> str | None:
        """The file's text with the mutation; nothing when the site is gone."""
        start = self.start(source)
        if start is None:
            return None
        head, tail = source[:start], source[start + len(self.before):]
        # `a + 1..<b` without `+ 1` is `a..<b`: an operator with a space on one side is an error.
        if not self.after and " " in self.before:
            head = head.rstrip(" ")
        return head + self.after + tail

    def difference(self, source: str) -> str:
        """The mutation as a unified diff without context; nothing when the site is gone."""
        mutated = self.applied(source)
        if mutated is None:
            return ""
        lines = difflib.unified_diff(source.split("\n"), mutated.split("\n"), n=0, lineterm="")
        return "\n".join(list(lines)[3:])


def escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n")


def unescaped(text: str) -> str:
    return text.replace("\\\\", "\0").replace("\\n", "\n").replace("\0", "\\")


def load(path: Path) -> list[Mutation]:
    try:
        lines = path.read_text().splitlines()
    except OSError as error:
        raise Refusal(f"{path}: {error.strerror}; draw the list with scripts/mutate draw.")
    rows = csv.DictReader(line for line in lines if not line.startswith("#"))
    mutations = []
    for row in rows:
        try:
            numbers = {key: int(row[key]) for key in ("id", "line", "column", "occurrence")}
            texts = {key: row[key] for key in ("file", "text", "operator")}
            spans = {key: unescaped(row[key]) for key in ("before", "after")}
        except (KeyError, TypeError, ValueError):
            raise Refusal(f"{path}: cannot read the row {row}; the columns are {','.join(COLUMNS)}.")
        mutations.append(Mutation(**numbers, **texts, **spans))
    return mutations


def all_sites() -> list[dict]:
    """Every site of the numeric sources, in the order of files and places."""
    rows = []
    for path in sorted(path.relative_to(ROOT) for module in MODULES
                       for path in (ROOT / "Sources" / module).rglob("*.swift")):
        if str(path).startswith(LEFT_OUT):
            continue
        text = (ROOT / path).read_text()
        try:
            found = sites.sites(text)
        except (ValueError, IndexError, KeyError) as error:
            raise Refusal(f"{path}: {error}; teach scripts/mutation/sites.py to read it.")
        lines = [line.strip() for line in text.split("\n")]
        for site in found:
            number = text.count("\n", 0, site.start)
            begin = text.rfind("\n", 0, site.start) + 1
            indent = len(text[begin:]) - len(text[begin:].lstrip(" "))
            # The column counts in the trimmed line, and the occurrence among equal trimmed lines,
            # so both survive edits of other lines.
            rows.append({
                "file": str(path), "line": number + 1, "column": site.start - begin - indent + 1,
                "occurrence": lines[:number + 1].count(lines[number]), "text": lines[number],
                "operator": site.operator, "before": escaped(site.before), "afters": site.afters})
    return rows


def draw(target: Path, seed: int, row_count: int, count: int) -> int:
    """Writes the list; returns the number of sites that it was drawn from."""
    rows = all_sites()

    # The order of seeded hashes is a uniform random order, the same in every version of Python.
    def number(row: dict, purpose: str) -> int:
        key = [seed, purpose, *(row[name] for name in COLUMNS[1:8])]
        return int.from_bytes(hashlib.sha256(repr(key).encode()).digest(), "big")

    drawn = sorted(rows, key=lambda row: number(row, "order"))[:row_count]
    for index, row in enumerate(drawn):
        afters = row.pop("afters")
        row["after"] = escaped(afters[number(row, "way") % len(afters)])
        row["id"] = index + 1
    commit = subprocess.run(["git", "rev-parse", "--short=12", "HEAD"], cwd=ROOT,
                            capture_output=True, text=True, check=True).stdout.strip()
    text = io.StringIO()
    text.write(
        f"# {len(drawn)} of {len(rows)} sites of the numeric sources "
        f"({', '.join(MODULES)}; not {LEFT_OUT})\n# at commit {commit}, drawn uniformly with "
        f"seed {seed} by scripts/mutate draw, in random order.\n"
        f"# The first {count} that compile count; the others are spares. A row is found by file, "
        "text of its line\n# and occurrence, with the column in the trimmed line; "
        "line says where it was at that commit.\n# Of an operator that can change its place in "
        "several ways, the seed chose one.\n")
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(drawn)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text.getvalue())
    return len(rows)
