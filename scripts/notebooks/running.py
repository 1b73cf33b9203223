"""Runs the cells of a notebook: in order in a stock kernel, and each alone after setup."""
from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

from structure import SETUP, Cell, Notebook

# Runs before the setup cell, in a namespace of its own.
OFFLINE = '''
import sys

def refuse(event, arguments):
    """Lets Python's sockets reach this machine alone."""
    if event in ("socket.getaddrinfo", "socket.gethostbyname"):
        host = arguments[0]
    elif event in ("socket.connect", "socket.sendto") and isinstance(arguments[1], tuple):
        host = arguments[1][0]
    else:
        return
    host = host.decode() if isinstance(host, bytes) else host
    if host not in (None, "", "localhost", "127.0.0.1", "::1"):
        raise RuntimeError(f"notebooks use no network, and this cell asked for {host}")

sys.addaudithook(refuse)
'''


@dataclass(frozen=True)
class Outcome:
    """What became of a cell: the exception's class and its bases, none where it passed."""

    cell: Cell
    kinds: tuple[str, ...] = ()
    message: str = ""

    @property
    def passed(self) -> bool:
        return not self.kinds

    def __str__(self) -> str:
        return f"raised {self.kinds[0]}: {self.message}" if self.kinds else "passed"


def prepare_environment(folder: Path) -> None:
    """The same surroundings everywhere: no settings of the user, one thread, no network."""
    for name in ("PYTHONPATH", "PYTHONSTARTUP", "MATPLOTLIBRC", "MPLBACKEND", "JUPYTER_PATH",
                 "http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        os.environ.pop(name, None)
    for name in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR"):
        os.environ[name] = str(folder / name)
    # Matplotlib keeps its list of fonts here, which takes seconds to make.
    os.environ["MPLCONFIGDIR"] = str(Path(sys.prefix) / "matplotlib")
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "PIP_NO_INDEX",
                 "PYTHONDONTWRITEBYTECODE", "JUPYTER_PREFER_ENV_PATH"):
        os.environ[name] = "1"


async def run_in_kernel(notebook: Notebook, cells: list[Cell], seconds: int) -> list[Outcome]:
    """Runs cells in order in a fresh kernel, up to one after which the rest would be in vain."""
    client = NotebookClient(
        nbformat.from_dict(notebook.content), kernel_name="python3", timeout=seconds,
        startup_timeout=120, force_raise_errors=True, shutdown_kernel="immediate",
        resources={"metadata": {"path": str(notebook.path.parent)}})
    client.log.setLevel("CRITICAL")
    outcomes: list[Outcome] = []
    async with client.async_setup_kernel(stderr=subprocess.DEVNULL):
        for number in (signal.SIGINT, signal.SIGTERM):
            # nbclient would only stop one kernel on them, and this program would go on.
            asyncio.get_running_loop().remove_signal_handler(number)
        client.kc.execute(f"exec({OFFLINE!r}, {{}})", silent=True)
        for cell in cells:
            outcomes.append(await run_cell(client, cell))
            if (outcomes[-1].kinds[:1] in (("TimeoutError",), ("DeadKernelError",))
                    or (cell.tag == SETUP and not outcomes[-1].passed)):
                break
    return outcomes


async def run_cell(client: NotebookClient, cell: Cell) -> Outcome:
    """Runs a cell in a kernel; an error that is only shown, such as in drawing, counts as well."""
    node = nbformat.v4.new_code_cell(cell.source)
    kind = message = ""
    try:
        await client.async_execute_cell(node, 0)
    except CellExecutionError as error:
        kind, message = error.ename, error.evalue
    except CellTimeoutError:
        kind, message = "TimeoutError", f"it took over {client.timeout} seconds"
    except DeadKernelError:
        kind, message = "DeadKernelError", "the kernel died"
    for output in node.outputs:
        if output["output_type"] == "error" and kind in ("", "NoneType"):
            # IPython caught it; only the end of the traceback, in colours, names it.
            plain = re.sub(r"\x1b\[[0-9;]*m", "", (output["traceback"] or ["Error: unknown"])[-1])
            kind, _, message = plain.partition(":")
    return Outcome(cell, (kind,) if kind else (), " ".join(message.split())[:300])


async def run_alone(notebook: Notebook, cells: list[Cell], seconds: int) -> list[Outcome]:
    """Runs each cell alone after setup; the outcome of setup alone when that fails."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(Path(__file__).with_name("alone.py")), cwd=notebook.path.parent,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, "MPLBACKEND": "agg"})
    task = {"before": OFFLINE, "setup": notebook.setup.source, "seconds": seconds,
            "cells": [cell.source for cell in cells]}
    try:
        answer, _ = await process.communicate(json.dumps(task).encode())
    finally:
        if process.returncode is None:
            process.kill()
    if process.returncode == -signal.SIGALRM:
        return [Outcome(notebook.setup, ("TimeoutError",), f"it took over {seconds} seconds")]
    if process.returncode:
        return [Outcome(notebook.setup, ("ProcessError",), f"exit code {process.returncode}")]
    pairs = zip([notebook.setup, *cells], json.loads(answer))
    return [Outcome(cell, tuple(kinds), message) for cell, (kinds, message) in pairs]
