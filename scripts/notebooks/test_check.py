"""Tests of the checker: each kind of defect is found, at its cell, and nothing else is blamed.

The defects that show without running are put into a good notebook one by one. Those that show when
cells run stand together in one notebook, a cell each, so that few kernels have to start.
"""
from __future__ import annotations

import asyncio
import contextlib
import copy
import io
import json
import sys
import tempfile
import unittest
from collections.abc import Callable
from pathlib import Path

sys.dont_write_bytecode = True

import check  # noqa: E402
from running import Outcome, prepare_environment, run_alone, run_in_kernel  # noqa: E402
from structure import Cell, Notebook, Report, compare, read  # noqa: E402

SETUP = ("setup", "setup", "import os\nfrom pathlib import Path\nDATA = Path('data')\n"
                           "shared = [1]")
SELF_CHECKS = [
    ("asserted", "self-check", "answer = 0\nassert answer == 42"),
    ("not-implemented", "self-check",
     "def twice(x):\n    raise NotImplementedError\nassert twice(2) == 4"),
    ("placeholder", "self-check", "answer = ...\nassert abs(answer - 42) < 1"),
]
SOLVED = {
    "asserted": "answer = 42\nassert answer == 42",
    "not-implemented": "def twice(x):\n    return 2 * x\nassert twice(2) == 4",
    "placeholder": "answer = 42\nassert abs(answer - 42) < 1",
}
GOOD = [SETUP, ("first", "try-it", "shared.append(2)\nassert shared == [1, 2]"),
        ("second", "try-it", "shared.append(2)\nawait __import__('asyncio').sleep(0)"),
        ("drawn", "try-it", "%matplotlib inline\nimport matplotlib.pyplot\n"
                            "matplotlib.pyplot.plot(shared)"), *SELF_CHECKS]
# A cell each: id, tag, source, and how the checker must call what it does.
FAULTY = [
    ("defines", "try-it", "number = 7", None),
    ("needs-a-name", "try-it", "assert number == 7", "NameError"),
    ("changes-in-place", "try-it", "shared.append(2)", None),
    ("needs-the-change", "try-it", "assert shared == [1, 2]", "AssertionError"),
    ("never-passes", "try-it", "raise ValueError('never')", "ValueError: never in order"),
    ("only-shows-an-error", "try-it",
     "class Drawn:\n    def _repr_html_(self):\n        raise KeyError('drawing')\nDrawn()",
     "KeyError: 'drawing' in order"),
    ("asks-for-the-network", "try-it",
     "import urllib.request\nurllib.request.urlopen('http://192.0.2.1/data.csv', timeout=1)",
     "no network, and this cell asked for 192.0.2.1"),
    ("lost-among-solutions", "try-it", "assert Path.cwd().name != 'solutions'", None),
    ("writes-a-file", "try-it", "Path('left.txt').write_text('left')", None),
    ("kills-itself", "self-check", "os.kill(os.getpid(), 9)\nassert False", "SIGKILL"),
    ("passes-unsolved", "self-check", "assert True", "passed unsolved"),
    ("unknown-name", "self-check", "assert unknown == 1", "NameError"),
    ("bad-syntax", "self-check", "answer = = 1\nassert answer", "SyntaxError"),
    ("missing-module", "self-check", "import no_such_module\nassert False", "ModuleNotFoundError"),
    ("missing-file", "self-check", "open('no-such-file')\nassert False", "FileNotFoundError"),
    ("wrong-type", "self-check", "assert 1 + 'one'", "TypeError"),
    ("never-solved", "self-check", "answer = 0\nassert answer == 42", None),
    ("solved-after-another", "self-check", "answer = None\nassert answer + 1", None),
]
FAULTY_SOLVED = {
    "kills-itself": "assert not False\nassert True or False",
    "solved-after-another": "assert number + 1 == 8",
}


def code(identifier: str, tag: str, source: str) -> dict:
    return {"id": identifier, "cell_type": "code", "source": source.splitlines(keepends=True),
            "metadata": {"tags": [tag]}, "execution_count": None, "outputs": []}


def notebook(cells: list[tuple], solved: dict[str, str] | None = None) -> dict:
    """A notebook that opens with Markdown; with the sources of self-checks replaced."""
    root = "../" if solved else ""
    title = f"# Title\n\n[data]({root}data/a.csv) [code]({root}../a.swift)"
    opening = {"id": "opening", "cell_type": "markdown", "source": title, "metadata": {}}
    listed = [code(name, tag, (solved or {}).get(name, source)) for name, tag, source, *_ in cells]
    return {"nbformat": 4, "nbformat_minor": 5, "cells": [opening, *listed],
            "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3"}}}


def write(path: Path, content: object) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(content))
    return path


def checked(folder: Path, *arguments: str) -> tuple[int, str]:
    """The exit code of the checker and what it printed."""
    with contextlib.redirect_stdout(io.StringIO()) as output, contextlib.redirect_stderr(output):
        try:
            status = check.main(["--folder", str(folder), *arguments])
        except SystemExit as exit_:
            status = exit_.code
    return status, output.getvalue()


class FolderTest(unittest.TestCase):
    def setUp(self) -> None:
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = Path(temporary.name)


class StructureTest(FolderTest):
    """What shows before any cell runs."""

    def setUp(self) -> None:
        super().setUp()
        self.content = notebook(GOOD)
        self.cells = self.content["cells"]

    def problems(self) -> list[str]:
        report = Report("tried.ipynb")
        read(write(self.folder / report.name, self.content), report)
        return report.problems

    def assert_problem(self, *parts: str) -> None:
        problems = self.problems()
        self.assertEqual(len(problems), 1, problems)
        for part in ("tried.ipynb", *parts):
            self.assertIn(part, problems[0])

    def test_a_good_notebook_has_no_problem(self) -> None:
        self.assertEqual(self.problems(), [])

    def test_duplicate_id(self) -> None:
        self.cells[3]["id"] = "first"
        self.assert_problem("several cells have the id first")

    def test_stored_output(self) -> None:
        self.cells[2]["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "1"}]
        self.assert_problem("cell first", "1 outputs")

    def test_execution_count(self) -> None:
        self.cells[2]["execution_count"] = 3
        self.assert_problem("cell first", "execution_count 3")

    def test_missing_tag(self) -> None:
        self.cells[2]["metadata"] = {}
        self.assert_problem("cell first", "none of the tags")

    def test_two_tags(self) -> None:
        self.cells[2]["metadata"]["tags"].append("self-check")
        self.assert_problem("cell first", "try-it and self-check")

    def test_setup_is_not_first(self) -> None:
        self.cells[1], self.cells[2] = self.cells[2], self.cells[1]
        self.assert_problem("[1] are tagged setup")

    def test_two_setups(self) -> None:
        self.cells[2]["metadata"]["tags"] = ["setup"]
        self.assert_problem("[0, 1] are tagged setup")

    def test_too_few_self_checks(self) -> None:
        self.cells.pop()
        self.assert_problem("2 self-check cells")

    def test_self_check_without_assertion(self) -> None:
        self.cells[5]["source"] = "raise NotImplementedError  # assert"
        self.assert_problem("cell asserted", "asserts nothing")

    def test_schema(self) -> None:
        self.cells[2]["surprise"] = True
        self.assert_problem("breaks the schema", "surprise")

    def test_missing_id(self) -> None:
        del self.cells[2]["id"]
        self.assert_problem("breaks the schema")

    def test_older_format(self) -> None:
        self.content["nbformat_minor"] = 4
        self.assert_problem("format 4.4")

    def test_no_notebook(self) -> None:
        self.content = [1]
        self.assert_problem("is no notebook")


class SolutionTest(FolderTest):
    """Where a solution may differ from its chapter."""

    def setUp(self) -> None:
        super().setUp()
        self.solved = notebook(GOOD, SOLVED)
        self.cells = self.solved["cells"]

    def problems(self) -> list[str]:
        report = Report("solved.ipynb")
        pair = [read(write(self.folder / name, content), report)
                for name, content in (("a.ipynb", notebook(GOOD)), ("b.ipynb", self.solved))]
        self.assertEqual(report.problems, [])
        compare(*pair, report)
        return report.problems

    def assert_problem(self, *parts: str) -> None:
        problems = self.problems()
        self.assertEqual(len(problems), 1, problems)
        for part in ("solved.ipynb", *parts):
            self.assertIn(part, problems[0])

    def test_solved_cells_and_added_markdown_are_no_problem(self) -> None:
        self.cells.insert(2, {**self.cells[0], "id": "explanation"})
        self.assertEqual(self.problems(), [])

    def test_one_string_is_the_same_as_its_lines(self) -> None:
        self.cells[2]["source"] = "".join(self.cells[2]["source"])
        self.assertEqual(self.problems(), [])

    def test_edited_cell(self) -> None:
        self.cells[2]["source"] = "pass"
        self.assert_problem("cell first", "differs from the chapter in source")

    def test_links_that_do_not_lead_out_of_the_folder_of_solutions(self) -> None:
        self.cells[0]["source"] = "# Title\n\n[data](../data/a.csv) [code](../a.swift)"
        self.assert_problem("cell opening", "differs from the chapter in source")

    def test_edited_markdown(self) -> None:
        self.cells[0]["source"] = "# Another title"
        self.assert_problem("cell opening", "differs from the chapter in source")

    def test_edited_metadata_of_a_self_check(self) -> None:
        self.cells[5]["metadata"]["tags"].append("solved")
        self.assert_problem("cell asserted", "differs from the chapter in metadata")

    def test_edited_metadata_of_the_notebook(self) -> None:
        self.solved["metadata"]["kernelspec"]["name"] = "another"
        self.assert_problem("metadata differ")

    def test_added_code(self) -> None:
        self.cells.append(code("more", "try-it", "pass"))
        self.assert_problem("cell more", "is a code cell that the chapter does not have")

    def test_missing_cell(self) -> None:
        self.cells.pop(2)
        self.assert_problem("cell first", "is missing")

    def test_other_order(self) -> None:
        self.cells[2], self.cells[3] = self.cells[3], self.cells[2]
        self.assert_problem("another order")

    def test_weakened_assertion(self) -> None:
        self.cells[5]["source"] = "answer = 41\nassert answer == 41"
        self.assert_problem("cell asserted", "lacks “assert answer == 42”")


class RunningTest(unittest.TestCase):
    """What shows when cells run: one good chapter and a faulty one, run once for all tests."""

    @classmethod
    def setUpClass(cls) -> None:
        with tempfile.TemporaryDirectory() as name, tempfile.TemporaryDirectory() as settings:
            folder = Path(name)
            faulty = [SETUP, *FAULTY]
            write(folder / "01-good.ipynb", notebook(GOOD))
            write(folder / "solutions/01-good.ipynb", notebook(GOOD, SOLVED))
            write(folder / "02-faulty.ipynb", notebook(faulty))
            write(folder / "solutions/02-faulty.ipynb", notebook(faulty, FAULTY_SOLVED))
            broken = notebook([("setup", "setup", "raise ValueError"), *GOOD[1:]])
            write(folder / "03-no-setup.ipynb", broken)
            prepare_environment(Path(settings))
            with contextlib.redirect_stdout(io.StringIO()):
                cls.reports = {report.name: report
                               for report in asyncio.run(check.check(folder, []))}
            cls.whole = cls.reports[folder.name]

    def blamed(self, name: str, cell: str) -> list[str]:
        return [p for p in self.reports[name].problems if p.startswith(f"{name}, cell {cell}: ")]

    def test_a_good_chapter_and_its_solution_pass(self) -> None:
        for name in ("01-good.ipynb", "solutions/01-good.ipynb"):
            self.assertEqual(self.reports[name].problems, [])
            self.assertEqual(self.reports[name].code_cells, 7)

    def test_each_faulty_cell_is_blamed_and_no_other(self) -> None:
        for cell, _, _, expected in FAULTY:
            with self.subTest(cell):
                problems = self.blamed("02-faulty.ipynb", cell)
                if expected is None:
                    self.assertEqual(problems, [])
                else:
                    self.assertTrue(any(expected in problem for problem in problems), problems)

    def test_solutions_that_fail(self) -> None:
        name = "solutions/02-faulty.ipynb"
        self.assertIn("AssertionError", "".join(self.blamed(name, "never-solved")))
        self.assertEqual(len(self.blamed(name, "solved-after-another")), 2)
        self.assertIn("in order", "".join(self.blamed(name, "lost-among-solutions")))

    def test_failing_setup_is_blamed_alone(self) -> None:
        problems = self.reports["03-no-setup.ipynb"].problems
        self.assertEqual(len(problems), 3, problems)
        self.assertEqual(len(self.blamed("03-no-setup.ipynb", "setup")), 2)
        self.assertIn("3 cells were not run", problems[1])

    def test_neither_way_of_running_lets_a_cell_reach_the_network(self) -> None:
        problems = self.blamed("02-faulty.ipynb", "asks-for-the-network")
        for problem, how in zip(problems, ("in order", "alone"), strict=True):
            self.assertIn("no network", problem)
            self.assertIn(how, problem)

    def test_written_file(self) -> None:
        self.assertEqual(len(self.whole.problems), 1)
        self.assertIn("left.txt", self.whole.problems[0])


class TimeTest(FolderTest):
    """A cell that takes too long is ended, and so is what waits for it."""

    def run_slowly(self, run: Callable) -> list[Outcome]:
        cells = [Cell("setup", "import time", "setup"), Cell("slow", "time.sleep(60)", "try-it"),
                 Cell("quick", "pass", "try-it")]
        tried = Notebook(self.folder / "slow.ipynb", notebook(GOOD), cells)
        prepare_environment(self.folder)
        return asyncio.run(run(tried, cells[-2:] if run is run_alone else cells, 1))

    def test_alone(self) -> None:
        _, slow, quick = self.run_slowly(run_alone)
        self.assertEqual(str(slow), "raised TimeoutError: it took over 1 seconds")
        self.assertTrue(quick.passed)

    def test_in_order_the_rest_is_not_run(self) -> None:
        outcomes = self.run_slowly(run_in_kernel)
        self.assertEqual(str(outcomes[-1]), "raised TimeoutError: it took over 1 seconds")
        self.assertLess(len(outcomes), 3)


class CommandTest(FolderTest):
    """Exit codes and bad use; no cell runs."""

    def test_folder_without_notebooks(self) -> None:
        status, output = checked(self.folder)
        self.assertEqual(status, 2)
        self.assertIn("holds no notebooks", output)

    def test_unknown_name(self) -> None:
        write(self.folder / "01-one.ipynb", {})
        status, output = checked(self.folder, "02-two")
        self.assertEqual(status, 2)
        self.assertIn("holds no 02-two.ipynb; it holds 01-one", output)

    def test_problems_give_1(self) -> None:
        write(self.folder / "01-one.ipynb", {})
        write(self.folder / "solutions/02-two.ipynb", {})
        status, output = checked(self.folder)
        self.assertEqual(status, 1)
        self.assertIn("solutions/01-one.ipynb: is missing", output)
        self.assertIn("solutions/02-two.ipynb belongs to no chapter", output)
        self.assertRegex(output.splitlines()[-1], r"^\d+ passed, [1-9]\d* failed$")


if __name__ == "__main__":
    unittest.main()
