"""Runs cells one by one, each as if in a fresh kernel after the setup cell.

This is a fresh interpreter. It runs the setup cell once and forks for every other cell: the child
has the memory as setup left it and runs one cell, so nothing that a cell defines, imports or
changes in place can reach another one. (What cells write to files, check.py looks for.) IPython
runs the cells, as it does in a kernel.

Standard input is one JSON object {"before", "setup", "cells", "seconds"}; standard output is a JSON
list of answers, the first of setup, which is the only one when setup fails. An answer is the names
of the exception's class and its bases (none for a cell that passes) and a message.
"""
from __future__ import annotations

import json
import os
import signal
import sys

from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

Answer = tuple[list[str], str]


class Shell(InteractiveShell):
    """IPython without a terminal; it prints no tracebacks, which nobody would read."""

    def enable_gui(self, gui: str | None = None) -> None:
        pass

    def showtraceback(self, *arguments: object, **options: object) -> None:
        pass

    def showsyntaxerror(self, *arguments: object, **options: object) -> None:
        pass


def run(shell: Shell, source: str) -> Answer:
    """Runs a cell in this process."""
    result = shell.run_cell(source, store_history=False)
    error = result.error_before_exec or result.error_in_exec
    if error is None:
        return [], ""
    return [kind.__name__ for kind in type(error).__mro__], " ".join(str(error).split())[:300]


def run_forked(shell: Shell, source: str, seconds: int) -> Answer:
    """Runs a cell in a child that ends with it, or is ended after some seconds."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            signal.alarm(seconds)
            os.write(writing, json.dumps(run(shell, source)).encode())
        finally:
            os._exit(0)
    os.close(writing)
    _, status = os.waitpid(child, 0)
    try:
        if os.WIFSIGNALED(status):
            number = os.WTERMSIG(status)
            if number == signal.SIGALRM:
                return ["TimeoutError"], f"it took over {seconds} seconds"
            return ["ProcessError"], f"the process ended by {signal.Signals(number).name}"
        os.set_blocking(reading, False)
        names, message = json.loads(os.read(reading, 1 << 16) or b'[["ProcessError"], "it exited"]')
        return names, message
    finally:
        os.close(reading)


def main() -> None:
    task = json.load(sys.stdin)
    answers = os.fdopen(os.dup(1), "w")
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)
    config = Config()
    config.HistoryManager.enabled = False  # It would start a thread, which no child inherits.
    shell = Shell.instance(config=config)
    exec(task["before"], {})
    # The default action of the signal ends this process, whose caller says so.
    signal.alarm(task["seconds"])
    results = [run(shell, task["setup"])]
    signal.alarm(0)
    if not results[0][0]:
        results += [run_forked(shell, source, task["seconds"]) for source in task["cells"]]
    json.dump(results, answers)
    answers.close()


main()
