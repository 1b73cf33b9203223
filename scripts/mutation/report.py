"""The measurements as Markdown: what was caught, by whom, and every survivor."""
from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

from mutation.mutations import MODULES, ROOT, Mutation, Refusal
from mutation.results import CAUGHT, GONE, NOT_COMPILED, SURVIVED, Result
from mutation.sites import OPERATORS


def explanations(path: Path) -> dict[int, str]:
    """Why a survivor changes nothing that a test could see: columns id and why."""
    if not path.exists():
        return {}
    with open(path, newline="") as file:
        reader = csv.DictReader(text for text in file if not text.startswith("#"))
        try:
            return {int(row["id"]): row["why"].strip() for row in reader}
        except (KeyError, TypeError, ValueError, AttributeError):
            raise Refusal(f"{path}: the columns are id,why; one row has no number or no reason.")


def considered(mutations: list[Mutation], status: dict[int, str], count: int) -> list[Mutation]:
    """The list up to the mutation with which `count` have compiled."""
    compiled = 0
    for index, mutation in enumerate(mutations):
        if compiled == count:
            return mutations[:index]
        compiled += status.get(mutation.id) in (CAUGHT, SURVIVED)
    return mutations


def percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "–"


def table(title: str, names: list[str], rows: dict[str, Counter]) -> list[str]:
    lines = [f"| {title} | compile | caught | survived | caught, % |", "|---|---:|---:|---:|---:|"]
    for name in names:
        counts = rows.get(name, Counter())
        total = counts[CAUGHT] + counts[SURVIVED]
        if total:
            lines.append(f"| {name} | {total} | {counts[CAUGHT]} | {counts[SURVIVED]} "
                         f"| {percent(counts[CAUGHT], total)} |")
    return lines + [""]


def report(mutations: list[Mutation], measured: list[Result], count: int, notes: Path) -> str:
    latest = {result.id: result for result in measured}
    first: dict[int, Result] = {}
    for result in measured:
        if result.status != GONE:
            first.setdefault(result.id, result)
    why = explanations(notes)
    texts: dict[str, str] = {}
    for mutation in mutations:
        if mutation.file not in texts:
            path = ROOT / mutation.file
            texts[mutation.file] = path.read_text() if path.exists() else ""
    rows = considered(mutations, {i: r.status for i, r in latest.items()}, count)
    statuses = Counter(latest[m.id].status if m.id in latest else "not measured" for m in rows)
    caught, survived = statuses[CAUGHT], statuses[SURVIVED]
    survivors = [m for m in rows if m.id in latest and latest[m.id].status == SURVIVED]
    explained = [m for m in survivors if m.id in why]
    first_statuses = Counter(first[m.id].status for m in rows if m.id in first)
    first_total = first_statuses[CAUGHT] + first_statuses[SURVIVED]
    commits = Counter(latest[m.id].commit for m in rows if m.id in latest)

    lines = [
        "# Does the suite bite?", "",
        f"{caught + survived} mutations compiled: {caught} caught "
        f"({percent(caught, caught + survived)}), {survived} survived, of which {len(explained)} are "
        f"explained as equivalent and {survived - len(explained)} are open.", "",
        f"First measurement: {first_statuses[CAUGHT]} of {first_total} caught "
        f"({percent(first_statuses[CAUGHT], first_total)}). Rows of the list: {len(rows)}; "
        f"{statuses[NOT_COMPILED]} did not compile, {statuses[GONE]} sites are gone, "
        f"{statuses['not measured']} are not measured yet.", "",
        "Measured at " + ", ".join(f"{commit} ({number})" for commit, number in commits.items()) + ".",
        ""]
    if caught + survived < count:
        lines += [f"**Not complete: {caught + survived} of {count}.**", ""]
    by: dict[str, dict[str, Counter]] = {"operator": {}, "module": {}, "file": {}}
    noticed: Counter = Counter()
    for mutation in rows:
        result = latest.get(mutation.id)
        if result is None or result.status not in (CAUGHT, SURVIVED):
            continue
        for kind, name in (("operator", mutation.operator), ("module", mutation.module),
                           ("file", mutation.file.removeprefix("Sources/"))):
            by[kind].setdefault(name, Counter())[result.status] += 1
        if result.status == CAUGHT:
            own = result.target == f"{mutation.module}Tests"
            noticed[(result.how, "the module's own tests" if own else result.target or "others")] += 1
    lines += ["| noticed by | in | mutations |", "|---|---|---:|"]
    lines += [f"| {how} | {where} | {number} |" for (how, where), number in noticed.most_common()]
    lines += [""]
    lines += table("operator", list(OPERATORS), by["operator"])
    lines += table("module", MODULES, by["module"])
    weak = sorted((name for name, counts in by["file"].items() if counts[SURVIVED]),
                  key=lambda name: -by["file"][name][SURVIVED])
    lines += table("file with survivors", weak, by["file"])

    lines += ["## Survivors", ""]
    for mutation in survivors:
        lines += listed(mutation, texts[mutation.file])
        lines += [f"Equivalent: {why[mutation.id]}" if mutation.id in why else "**Open.**", ""]
    if gone := [m for m in rows if m.start(texts[m.file]) is None]:
        lines += ["## Sites that are gone", ""]
        lines += [f"- {m.id}: {m.file}, once line {m.line}: `{m.text}`" for m in gone] + [""]
    if wrong := [i for i in why if i in latest and latest[i].status == CAUGHT]:
        lines += [f"Explained as equivalent, yet caught: {', '.join(map(str, wrong))}.", ""]
    return "\n".join(lines)


def listed(mutation: Mutation, source: str) -> list[str]:
    start = mutation.start(source)
    line = mutation.line if start is None else source.count("\n", 0, start) + 1
    difference = mutation.difference(source) or f"-{mutation.text}\n(this line is gone)"
    return [f"**{mutation.id}** {mutation.file}:{line}, {mutation.operator}", "", "```diff",
            difference, "```", ""]
