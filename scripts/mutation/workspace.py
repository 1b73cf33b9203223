"""A copy of the checkout that builds and runs tests under a time and a memory limit."""
from __future__ import annotations

import hashlib
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from mutation.mutations import MODULES, ROOT, Refusal

MEMORY = 6 << 30
BUILD_SECONDS = 900  # of one changed file; the first build of a copy has no limit
TESTED = ("Sources/", "Tests/", "Fixtures/", "Package.swift")
KEPT = {".build", ".swiftpm", "Package.resolved"}
ISSUE = re.compile(r"(?:Test|Suite) (.+?) recorded an issue(?: with .*?)?"
                   r"(?: at ([^\s:]+\.swift):(\d+):\d+)?: (.*)")
PASSED = re.compile(r"Test run with (\d+) tests? .*passed")
ERROR = re.compile(r"\.swift:\d+:\d+: error: (.*)")
CRASH = re.compile(r"(?:Fatal error|Precondition failed|Assertion failed)[^\n]*")


class Stopped(Exception):
    """The person at the keyboard stopped the run."""


@dataclass(frozen=True)
class TestRun:
    passed: bool
    how: str = ""
    test: str = ""
    file: str = ""
    detail: str = ""
    tests: int = 0
    seconds: float = 0


def end(leader: int) -> None:
    """Kills a child that leads a session, and all of it: compilers run in groups of their own."""
    try:
        os.killpg(leader, signal.SIGKILL)
    except ProcessLookupError:
        pass
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            # After the name in brackets: state, parent, group, session.
            if int((folder / "stat").read_text().rpartition(")")[2].split()[3]) == leader:
                os.kill(int(folder.name), signal.SIGKILL)
        except (OSError, IndexError):
            pass


class Workspace:
    stop = threading.Event()
    _active: set[int] = set()
    _lock = threading.Lock()

    def __init__(self, number: int):
        self.number = number
        self.folder = ROOT / ".build-mutate" / str(number)
        self.temporary = ROOT / ".build-mutate" / f"tmp-{number}"
        self.record = ROOT / ".build-mutate" / f"baseline-{number}.json"
        self.seconds: dict[str, float] = {}
        self.tests: dict[str, int] = {}

    @classmethod
    def stop_all(cls) -> None:
        cls.stop.set()
        with cls._lock:
            for process in cls._active:
                end(process)

    # Copying

    def update(self) -> str:
        """Makes the copy equal to the checkout; returns a fingerprint of what is built."""
        listing = subprocess.run(
            ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"], cwd=ROOT,
            capture_output=True, text=True)
        if listing.returncode:
            raise Refusal(f"{ROOT} is no git checkout, and scripts/mutate copies what git lists.")
        names = {name for name in listing.stdout.split("\0") if name and (ROOT / name).is_file()}
        fingerprint = hashlib.sha256()
        self.folder.mkdir(parents=True, exist_ok=True)
        for name in sorted(names):
            source, target = ROOT / name, self.folder / name
            data = source.read_bytes()
            if name.startswith(TESTED) and not name.startswith("Tests/Mutations/"):
                fingerprint.update(f"{name}\0{len(data)}\0".encode() + data)
            # An equal file keeps its date, so that the next build is incremental.
            if not target.is_file() or target.read_bytes() != data:
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, target)
            shutil.copymode(source, target)
        for folder, folders, files in os.walk(self.folder):
            if Path(folder) == self.folder:
                folders[:] = [name for name in folders if name not in KEPT]
                files = [name for name in files if name not in KEPT]
            for file in files:
                path = Path(folder) / file
                if str(path.relative_to(self.folder)) not in names:
                    path.unlink()
        return fingerprint.hexdigest()

    # Running

    def execute(self, command: list[str], seconds: float | None, watch) -> tuple[int | None, list[str]]:
        """Runs a command in its own session; `watch` ends it by returning true for a line.

        The status is nothing when the time ran out."""
        if self.stop.is_set():
            raise Stopped
        self.temporary.mkdir(exist_ok=True)
        environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "TMPDIR": f"{self.temporary}/"}
        limited = command[0] != "swift"
        process = subprocess.Popen(
            command, cwd=self.folder, env=environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
            start_new_session=True,
            preexec_fn=(lambda: resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY)))
            if limited else None)
        with self._lock:
            self._active.add(process.pid)
        late = threading.Event()

        def expire() -> None:
            late.set()
            end(process.pid)

        timer = threading.Timer(seconds, expire) if seconds else None
        if timer:
            timer.start()
        lines: list[str] = []
        try:
            for text in process.stdout:
                lines.append(text.rstrip("\n"))
                if watch(lines[-1]):
                    end(process.pid)
                    break
        finally:
            status = process.wait()
            if timer:
                timer.cancel()
            end(process.pid)  # children that outlived it
            with self._lock:
                self._active.discard(process.pid)
            process.stdout.close()
            shutil.rmtree(self.temporary, ignore_errors=True)
        if self.stop.is_set():
            raise Stopped
        return (None if late.is_set() else status), lines

    def build(self, seconds: float | None = BUILD_SECONDS) -> str:
        """An empty text, or the first error of a tree that does not compile."""
        status, lines = self.execute(["swift", "build", "--build-tests"], seconds, lambda _: False)
        if status == 0:
            return ""
        if status is None:
            return f"not built after {seconds} s"
        errors = [match.group(1) for text in lines if (match := ERROR.search(text))]
        if not errors and not any("compile command failed" in text for text in lines):
            raise Refusal(f"the build in {self.folder} failed, but not of the mutated source: "
                          + " / ".join(lines[-3:]))
        return errors[0] if errors else "the compiler crashed"

    def test(self, selection: list[str], seconds: float | None) -> TestRun:
        """Runs tests up to the first issue."""
        program = ".build/debug/natgradPackageTests.xctest"
        begin, issue, passed = time.monotonic(), None, 0

        def watch(text: str) -> bool:
            nonlocal issue, passed
            if match := PASSED.search(text):
                passed = int(match.group(1))
            if "recorded an issue" in text:
                issue = ISSUE.search(text) or text
            return issue is not None

        status, lines = self.execute(
            [program, "--testing-library", "swift-testing", *selection], seconds, watch)
        elapsed = time.monotonic() - begin
        if isinstance(issue, str):
            return TestRun(False, "test", detail=issue, seconds=elapsed)
        if issue:
            test, file, _, detail = issue.groups()
            return TestRun(False, "test", test.strip('"'), file or "", detail, seconds=elapsed)
        if status is None:
            return TestRun(False, "timeout", detail=f"{seconds:.0f} s", seconds=elapsed)
        if status:
            crash = next((match.group() for text in lines if (match := CRASH.search(text))), "")
            end = f"signal {-status}" if status < 0 else f"exit code {status}"
            return TestRun(False, "crash", detail=crash or end, seconds=elapsed)
        return TestRun(True, tests=passed, seconds=elapsed)

    @staticmethod
    def own(module: str) -> list[str]:
        return ["--filter", f"^{module}Tests\\."]

    @staticmethod
    def others(module: str) -> list[str]:
        return ["--skip", f"^{module}Tests\\."]

    def limit(self, name: str) -> float:
        return max(60, 10 * self.seconds[name])

    def prepare(self) -> None:
        """Copies and builds, and requires that all tests pass before anything is changed."""
        fingerprint = self.update()
        known = json.loads(self.record.read_text()) if self.record.exists() else {}
        error = self.build(seconds=None)
        if error:
            raise Refusal(f"the checkout itself does not compile: {error}")
        if known.get("fingerprint") != fingerprint:
            for name in [*MODULES, "all"]:
                run = self.test([] if name == "all" else self.own(name), seconds=3600)
                if not run.passed or run.tests == 0:
                    raise Refusal(
                        f"the unchanged checkout is not green, so nothing can be measured: "
                        f"{run.how or 'no test ran'} {run.test} {run.detail} ({self.folder})")
                self.seconds[name], self.tests[name] = run.seconds, run.tests
            known = {"fingerprint": fingerprint, "seconds": self.seconds, "tests": self.tests}
            self.record.write_text(json.dumps(known))
        self.seconds, self.tests = known["seconds"], known["tests"]
