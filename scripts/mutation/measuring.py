"""Applies one mutation after the other, with several copies of the checkout at work."""
from __future__ import annotations

import fcntl
import signal
import subprocess
import threading
import time
from pathlib import Path

from mutation import results as table
from mutation.mutations import ROOT, Mutation, Refusal
from mutation.results import CAUGHT, GONE, NOT_COMPILED, SURVIVED, Result
from mutation.workspace import Stopped, TestRun, Workspace


def measure(mutation: Mutation, workspace: Workspace, commit: str) -> Result:
    """Changes the file, builds, tests the module's own target, then all others; restores the file."""
    path = workspace.folder / mutation.file
    original = path.read_text() if path.exists() else ""
    mutated = mutation.applied(original)
    if mutated is None:
        return Result(mutation.id, GONE, commit=commit)
    begin = time.monotonic()

    def result(status: str, run: TestRun | None = None, target: str = "", detail: str = "") -> Result:
        seconds = f"{time.monotonic() - begin:.0f}"
        if run is None:
            return Result(mutation.id, status, detail=detail, seconds=seconds, commit=commit)
        return Result(mutation.id, status, run.how, target, run.test, run.detail, seconds, commit)

    module = mutation.module
    count = workspace.tests
    stages = [
        (workspace.own(module), workspace.limit(module), count[module], f"{module}Tests"),
        (workspace.others(module), workspace.limit("all"), count["all"] - count[module], ""),
    ]
    try:
        path.write_text(mutated)
        if error := workspace.build():
            return result(NOT_COMPILED, detail=error)
        for selection, seconds, expected, target in stages:
            run = workspace.test(selection, seconds)
            if run.passed and run.tests != expected:
                run = TestRun(False, "ended early", detail=f"{run.tests} of {expected} tests ran")
            if not run.passed:
                return result(CAUGHT, run, target or target_of(run.file))
        return result(SURVIVED)
    finally:
        path.write_text(original)


def target_of(file: str) -> str:
    """The test target of a file that a failure names."""
    found = [path.relative_to(ROOT / "Tests").parts[0] for path in (ROOT / "Tests").rglob("*.swift")
             if path.name == Path(file).name]
    return found[0] if len(found) == 1 else "another target"


class Schedule:
    """Hands out mutations in the order of the list until enough of them have compiled."""

    def __init__(self, pending: list[Mutation], counted: int, count: int | None):
        self.pending, self.counted, self.count = pending, counted, count
        self.running = 0
        self.changed = threading.Condition()

    def next(self) -> Mutation | None:
        with self.changed:
            while True:
                open_ = self.count is None or self.counted + self.running < self.count
                if self.pending and open_ and not Workspace.stop.is_set():
                    self.running += 1
                    return self.pending.pop(0)
                # One that is still running may not compile; then a spare takes its place.
                if (not self.running or not self.pending or Workspace.stop.is_set()
                        or self.counted >= self.count):
                    return None
                self.changed.wait(1)

    def done(self, result: Result | None) -> None:
        with self.changed:
            self.running -= 1
            if result and result.status in (CAUGHT, SURVIVED):
                self.counted += 1
            self.changed.notify_all()


def run(mutations: list[Mutation], path: Path, jobs: int, count: int,
        only: list[int] | None, again: bool) -> None:
    folder = ROOT / ".build-mutate"
    folder.mkdir(exist_ok=True)
    lock = open(folder / "lock", "w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise Refusal(f"another run works in {folder}; wait for it or stop it.")
    path.parent.mkdir(parents=True, exist_ok=True)
    known = {result.id: result for result in table.measured(table.load(path, repairing=True))}
    wanted = [m for m in mutations if only is None or m.id in only]
    if only and (unknown := set(only) - {m.id for m in wanted}):
        raise Refusal(f"the list has no mutation {min(unknown)}; it has 1 to {len(mutations)}.")
    counted = sum(r.status in (CAUGHT, SURVIVED) for r in known.values())
    schedule = Schedule([m for m in wanted if m.id not in known or (again and only)],
                        counted, None if only else count)
    commit = subprocess.run(["git", "describe", "--always", "--dirty", "--exclude=*"], cwd=ROOT,
                            capture_output=True, text=True).stdout.strip()
    problems: list[Exception] = []
    writing = threading.Lock()

    def work(workspace: Workspace) -> None:
        try:
            workspace.prepare()
            while mutation := schedule.next():
                result = None
                try:
                    result = measure(mutation, workspace, commit)
                finally:
                    with writing:
                        if result:
                            table.append(path, result)
                            print(sentence(mutation, result), flush=True)
                    schedule.done(result)
        except Stopped:
            pass
        except Exception as problem:  # the other worker must not go on alone unnoticed
            problems.append(problem)
            Workspace.stop_all()

    asked = threading.Event()
    for kind in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(kind, lambda *_: asked.set())
    workers = [threading.Thread(target=work, args=(Workspace(k + 1),)) for k in range(jobs)]
    print(f"{len(known)} measured before; copying, building and testing the unchanged checkout "
          f"in {jobs} copies (minutes the first time)", flush=True)
    for worker in workers:
        worker.start()
    while any(worker.is_alive() for worker in workers):
        time.sleep(0.2)
        if asked.is_set():
            Workspace.stop_all()
    if asked.is_set():
        raise Refusal(f"stopped; what is measured is in {path}, the same command goes on from there.")
    if problems:
        raise problems[0]
    if not only and schedule.counted < count:
        raise Refusal(f"only {schedule.counted} of {count} compile; draw a longer list.")


def sentence(mutation: Mutation, result: Result) -> str:
    by = " by ".join(part for part in (result.how, result.target) if part)
    return (f"{mutation.id:4} {result.status:17} {mutation.file.removeprefix('Sources/')}:"
            f"{mutation.line} {mutation.operator}  {by}  {result.test or result.detail} "
            f"({result.seconds or 0} s)")
