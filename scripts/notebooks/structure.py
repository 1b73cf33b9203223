"""What holds for a notebook before any cell runs, and between a notebook and its solution."""
from __future__ import annotations

import ast
import copy
import json
import re
import warnings
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
from IPython.core.inputtransformer2 import TransformerManager
from nbformat.warnings import DuplicateCellId, MissingIDFieldWarning

SETUP, TRY_IT, SELF_CHECK = "setup", "try-it", "self-check"
TAGS = (SETUP, TRY_IT, SELF_CHECK)
FEWEST_SELF_CHECKS = 3


@dataclass
class Report:
    """The checks of one notebook: how many held, and a sentence for each that did not."""

    name: str
    passed: int = 0
    problems: list[str] = field(default_factory=list)
    code_cells: int = 0
    self_checks: int = 0
    seconds: float = 0

    def check(self, holds: bool, seen: str, cell: str | None = None) -> bool:
        """Counts one check; `seen` says what was seen and what was expected."""
        if holds:
            self.passed += 1
        else:
            self.problems.append(f"{self.name}{f', cell {cell}' if cell else ''}: {seen}")
        return holds


@dataclass(frozen=True)
class Cell:
    """A code cell."""

    id: str
    source: str
    tag: str


@dataclass(frozen=True)
class Notebook:
    """A notebook whose structure is sound: `content` as in the file, and its code cells."""

    path: Path
    content: dict
    code: list[Cell]

    @property
    def setup(self) -> Cell:
        return self.code[0]


def text(lines: str | list[str]) -> str:
    """A multi-line string of the format, which is one string or a list of lines."""
    return lines if isinstance(lines, str) else "".join(lines)


def read(path: Path, report: Report) -> Notebook | None:
    """The notebook of a file, or nothing after the report has got a problem."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        version = (content.get("nbformat"), content.get("nbformat_minor"))
    except (ValueError, AttributeError) as error:
        report.check(False, f"is no notebook ({error}); expected a JSON object.")
        return None
    if not report.check(version == (4, 5),
                        f"has the format {version[0]}.{version[1]}; expected 4.5."):
        return None

    try:
        with warnings.catch_warnings():
            # nbformat repairs some faults of its argument with no more than a warning.
            warnings.simplefilter("error", MissingIDFieldWarning)
            warnings.simplefilter("ignore", DuplicateCellId)
            nbformat.validate(copy.deepcopy(content))
        report.check(True, "")
    except (nbformat.ValidationError, MissingIDFieldWarning) as error:
        first = str(error).strip().splitlines()[0]
        report.check(False, f"breaks the schema of nbformat 4.5: {first}.")
        return None

    cells = content["cells"]
    repeated = [i for i, count in Counter(cell["id"] for cell in cells).items() if count > 1]
    report.check(not repeated, f"several cells have the id {', '.join(repeated)}; "
                               "expected a different one for each.")
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    for cell in code:
        report.check(not cell["outputs"] and cell["execution_count"] is None,
                     f"holds {len(cell['outputs'])} outputs and execution_count "
                     f"{cell['execution_count']}; expected no outputs and null.", cell["id"])
        tags = [tag for tag in cell["metadata"].get("tags", []) if tag in TAGS]
        report.check(len(tags) == 1, f"has {' and '.join(tags) or 'none'} of the tags "
                                     f"{', '.join(TAGS)}; expected exactly one.", cell["id"])
    if report.problems:
        return None
    listed = [Cell(cell["id"], text(cell["source"]),
                   next(tag for tag in cell["metadata"]["tags"] if tag in TAGS)) for cell in code]
    setups = [number for number, cell in enumerate(listed) if cell.tag == SETUP]
    report.check(setups == [0], f"the code cells {setups} are tagged {SETUP}, counted from 0; "
                                "expected the first one alone.")
    report.code_cells = len(listed)
    report.self_checks = sum(cell.tag == SELF_CHECK for cell in listed)
    report.check(report.self_checks >= FEWEST_SELF_CHECKS,
                 f"has {report.self_checks} {SELF_CHECK} cells; "
                 f"expected {FEWEST_SELF_CHECKS} or more.")
    for cell in listed:
        if cell.tag == SELF_CHECK:
            report.check(bool(assertions(cell.source)), "asserts nothing; expected assertions "
                                                        "below the student's code.", cell.id)
    return None if report.problems else Notebook(path, content, listed)


def assertions(source: str) -> Counter[str]:
    """The `assert` statements and calls of functions named assert… in a cell, one by one."""
    try:
        tree = ast.parse(TransformerManager().transform_cell(source))
    except SyntaxError:
        return Counter({"assert": 1})  # Running the cell shows the fault and its place.
    return Counter(
        ast.unparse(node) for node in ast.walk(tree)
        if isinstance(node, ast.Assert)
        or (isinstance(node, ast.Call)
            and re.match(r"assert", ast.unparse(node.func).rpartition(".")[2])))


def compare(chapter: Notebook, solution: Notebook, report: Report) -> None:
    """A solution is its chapter but for the sources of self-checks and added Markdown cells."""
    outside = [{key: value for key, value in notebook.content.items() if key != "cells"}
               for notebook in (chapter, solution)]
    report.check(outside[0] == outside[1], "its metadata differ from the chapter's; "
                                           "expected the same.")
    cells = {cell["id"]: cell for cell in solution.content["cells"]}
    known = [cell["id"] for cell in chapter.content["cells"]]
    for identifier in known:
        report.check(identifier in cells, "is missing; expected every cell of the chapter.",
                     identifier)
    for cell in solution.content["cells"]:
        if cell["id"] not in known:
            report.check(cell["cell_type"] == "markdown",
                         f"is a {cell['cell_type']} cell that the chapter does not have; "
                         "expected only Markdown cells to be added.", cell["id"])
    order = [identifier for identifier in cells if identifier in known]
    report.check(order == [identifier for identifier in known if identifier in cells],
                 "the cells stand in another order than in the chapter.")
    exercises = {cell.id for cell in chapter.code if cell.tag == SELF_CHECK}
    for cell in chapter.content["cells"]:
        solved = cells.get(cell["id"])
        if solved is None:
            continue
        if cell["id"] in exercises:
            given, kept = assertions(text(cell["source"])), assertions(text(solved["source"]))
            report.check(not given - kept,
                         f"lacks “{next(iter(given - kept), '')}”; expected every assertion of "
                         "the exercise in its solution.", cell["id"])
            cell, solved = {**cell, "source": ""}, {**solved, "source": ""}
        else:
            # Links of a solution lead out of its own folder first.
            cell = {**cell, "source": text(cell["source"])}
            solved = {**solved, "source": text(solved["source"]).replace("](../", "](")}
        differing = [key for key in sorted(cell.keys() | solved.keys())
                     if cell.get(key) != solved.get(key)]
        report.check(not differing, f"differs from the chapter in {', '.join(differing)}; "
                                    f"expected only the source of a {SELF_CHECK} to differ.",
                     cell["id"])
