"""Checks the exported notebooks; scripts/check-notebooks runs it.

    scripts/check-notebooks [NAME...] [--folder FOLDER]

NAME is a chapter such as 05-kfac; default: all in FOLDER, which is notebooks-export by default.
For every NN-slug.ipynb and its solutions/NN-slug.ipynb, checks

(a) the format: nbformat 4.5, different ids, no outputs, one tag on each code cell, setup first,
    three self-checks or more, each with assertions;
(b) that all cells but self-checks pass in order in a fresh stock kernel, and in the solution all;
(c) that each cell does so alone after the setup cell, in memory that no other cell has touched;
(d) that self-checks fail while unsolved, and for want of a solution: by an assertion, by
    NotImplementedError, or by a placeholder (... or None) that met arithmetic;
(e) that a solution differs from its chapter only in the sources of self-checks, where it keeps
    every assertion, and in added Markdown cells;
(f) that no cell asks Python for the network, writes a file there, or takes over 60 seconds.

The last line is "N passed, M failed"; the exit code is 0 when M is 0, and 2 for bad use.
"""
from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.dont_write_bytecode = True

from running import Outcome, prepare_environment, run_alone, run_in_kernel  # noqa: E402
from structure import SELF_CHECK, Cell, Notebook, Report, compare, read  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
PROCESSES = 2
SECONDS = 60
SOLUTIONS = "solutions"
NOT_OURS = {"reproduction", ".ipynb_checkpoints"}


class Refusal(Exception):
    """Bad use, in one sentence."""


def for_want_of_a_solution(outcome: Outcome) -> bool:
    """Whether a self-check failed as it should while nobody has solved it."""
    if {"AssertionError", "NotImplementedError"} & set(outcome.kinds):
        return True
    placeholder = "ellipsis" in outcome.message.lower() or "NoneType" in outcome.message
    return outcome.kinds[:1] in (("TypeError",), ("AttributeError",)) and placeholder


async def run_chapter(notebook: Notebook, report: Report, seconds: int) -> None:
    """Checks (b), (c) and (d) of an unsolved notebook."""
    given = [cell for cell in notebook.code if cell.tag != SELF_CHECK]
    await run_in_order(notebook, given, report, seconds)
    for outcome in await run_alone(notebook, notebook.code[1:], seconds):
        if outcome.cell.tag != SELF_CHECK:
            must_pass(outcome, "alone after the setup cell", report)
        elif outcome.passed:
            report.check(False, "passed unsolved; expected an assertion to fail.", outcome.cell.id)
        else:
            report.check(for_want_of_a_solution(outcome),
                         f"{outcome} unsolved; expected AssertionError or NotImplementedError.",
                         outcome.cell.id)


async def run_solution(notebook: Notebook, report: Report, seconds: int) -> None:
    """Checks (b), (c) and (d) of a solution; its other cells ran alone in the chapter."""
    await run_in_order(notebook, notebook.code, report, seconds)
    solved = [cell for cell in notebook.code if cell.tag == SELF_CHECK]
    for outcome in await run_alone(notebook, solved, seconds):
        must_pass(outcome, "alone after the setup cell", report)


async def run_in_order(notebook: Notebook, cells: list[Cell], report: Report, seconds: int) -> None:
    """Check (b)."""
    outcomes = await run_in_kernel(notebook, cells, seconds)
    for outcome in outcomes:
        must_pass(outcome, "in order", report)
    report.check(len(outcomes) == len(cells), f"{len(cells) - len(outcomes)} cells were not run in "
                                              "order because of the failure before them.")


def must_pass(outcome: Outcome, how: str, report: Report) -> None:
    report.check(outcome.passed, f"{outcome} {how}; expected to pass.", outcome.cell.id)


def files(folder: Path) -> dict[str, tuple[int, int]]:
    """Every file of the export with its time and size."""
    found = {}
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name not in NOT_OURS]
        for name in names:
            status = os.lstat(os.path.join(place, name))
            path = os.path.relpath(os.path.join(place, name), folder)
            found[path] = (status.st_mtime_ns, status.st_size)
    return found


def chapters(folder: Path, names: list[str]) -> list[str]:
    """The names of the chapters to check."""
    found = sorted(path.stem for path in folder.glob("*.ipynb"))
    if not found:
        raise Refusal(f"{folder} holds no notebooks; expected NN-slug.ipynb. "
                      "`natgrad notebooks export` writes them.")
    names = [name.removesuffix(".ipynb") for name in names]
    for name in names:
        if name not in found:
            raise Refusal(f"{folder} holds no {name}.ipynb; it holds {', '.join(found)}.")
    return [name for name in found if not names or name in names]


def reading(folder: Path, name: str) -> list[tuple[Report, Notebook | None]]:
    """A chapter and its solution, with what can be seen before any cell runs."""
    pair = []
    for file in (f"{name}.ipynb", f"{SOLUTIONS}/{name}.ipynb"):
        report = Report(file)
        present = report.check((folder / file).is_file(), "is missing; expected a solution for "
                                                          "every chapter.")
        pair.append((report, read(folder / file, report) if present else None))
    (_, chapter), (report, solution) = pair
    if chapter and solution:
        compare(chapter, solution, report)
    return pair


async def check(folder: Path, names: list[str], seconds: int = SECONDS) -> list[Report]:
    """Checks chapters and their solutions; prints a line for each and a sentence for a problem."""
    chosen = chapters(folder, names)
    before = files(folder)
    free = asyncio.Semaphore(PROCESSES)

    async def work(run: Callable, notebook: Notebook | None, report: Report) -> Report:
        if notebook:
            async with free:
                begin = time.monotonic()
                await run(notebook, report, seconds)
                report.seconds = time.monotonic() - begin
        return report

    tasks = [asyncio.create_task(work(run, notebook, report)) for name in chosen
             for run, (report, notebook) in zip((run_chapter, run_solution), reading(folder, name))]
    reports = []
    for task in tasks:
        reports.append(await task)
        show(reports[-1])

    whole = Report(folder.name)
    if not names:
        for path in sorted((folder / SOLUTIONS).glob("*.ipynb")):
            whole.check(path.stem in chosen, f"{SOLUTIONS}/{path.name} belongs to no chapter; "
                                             "expected the name of one.")
    after = files(folder)
    changed = sorted(path for path in before.keys() | after.keys()
                     if before.get(path) != after.get(path))
    whole.check(not changed, f"{', '.join(changed)} changed while the notebooks ran; "
                             "expected cells to write no files there.")
    show(whole)
    return [*reports, whole]


def show(report: Report) -> None:
    for problem in report.problems:
        print("FAILED", problem)
    cells = (f"{report.code_cells} code cells, {report.self_checks} of them self-checks; "
             if report.code_cells else "")
    print(f"{report.name}: {cells}{report.passed} checks passed, {len(report.problems)} failed, "
          f"{report.seconds:.1f} s", flush=True)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="scripts/check-notebooks", description=__doc__.partition("\n\n")[2],
        usage=argparse.SUPPRESS, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", metavar="NAME", nargs="*", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, default=ROOT / "notebooks-export",
                        help="the exported folder")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as settings:
        prepare_environment(Path(settings))
        try:
            reports = asyncio.run(check(options.folder.resolve(), options.names))
        except Refusal as refusal:
            print(f"scripts/check-notebooks: {refusal}", file=sys.stderr)
            return 2
        except KeyboardInterrupt:
            return 130
    failed = sum(len(report.problems) for report in reports)
    print(f"{sum(report.passed for report in reports)} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
