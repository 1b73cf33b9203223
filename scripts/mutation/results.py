"""What was measured: one line of CSV per mutation, appended when it is known."""
from __future__ import annotations

import csv
import io
import os
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from mutation.mutations import Refusal

CAUGHT, SURVIVED = "caught", "survived"
NOT_COMPILED, GONE = "does not compile", "site gone"


@dataclass(frozen=True)
class Result:
    id: int
    status: str
    how: str = ""  # test, crash, timeout, or an unusual end
    target: str = ""  # the test target that noticed
    test: str = ""  # the first failing test
    detail: str = ""
    seconds: str = ""
    commit: str = ""


COLUMNS = [field.name for field in fields(Result)]


def line(values: list[str]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(values)
    return text.getvalue().encode()


def append(path: Path, result: Result) -> None:
    """One write per line, so that a stop leaves whole lines."""
    values = [" ".join(str(value).split()) for value in asdict(result).values()]
    new = not path.exists() or path.stat().st_size == 0
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        os.write(descriptor, (line(COLUMNS) if new else b"") + line(values))
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def load(path: Path, repairing: bool = False) -> list[Result]:
    """All measurements in their order; with `repairing`, a last line cut off by a crash is removed."""
    if not path.exists():
        return []
    data = path.read_bytes()
    whole = data[:data.rfind(b"\n") + 1]
    if repairing and whole != data:
        with open(path, "r+b") as file:
            file.truncate(len(whole))
    reader = csv.DictReader(whole.decode().splitlines())
    if whole and reader.fieldnames != COLUMNS:
        raise Refusal(f"{path} has the columns {reader.fieldnames}, expected {COLUMNS}; "
                      "it is not a table of scripts/mutate run: give another --results.")
    return [Result(**{**row, "id": int(row["id"])}) for row in reader]


def measured(results: list[Result]) -> list[Result]:
    """A site that was gone may be back, so only the others need no new attempt."""
    return [result for result in results if result.status != GONE]
