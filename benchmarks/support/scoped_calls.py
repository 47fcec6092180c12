"""What a call is given, and how long it takes, on 1,000 policies in disjoint scopes. Part of governance.py.

In the server, with the receipt; every call gives its facets. With trials, one policy in ten is in trial.
"""

import os
import tempfile
import time
from pathlib import Path
from typing import Any, Final

from governed_calls import CALLS, WARMING
from interlayer.app.composition import Parts, opened
from interlayer.app.settings import load
from interlayer_policies.governance import Facets, PolicyFile
from measuring import percentile
from policy_sets import disjoint_facets, disjoint_files, tasks

POLICIES: Final = 1_000
SCOPES: Final = (500, 100, 50)
BARS: Final = "2.6 / 3.4"
TOKENS_BAR: Final = 2_000
HEADER: Final = (
    "scopes", "rules in scope", "tokens of rules", "of the answer, most", "calls over 2,000", "sections", "p50 ms",
    "p99 ms", "bar", "processor p50 ms",
)  # fmt: skip


async def scoped() -> list[list[Any]]:
    """Return a row for each number of scopes, and one for the first with trials."""
    rows = [await _measure(scopes, trials=False) for scopes in SCOPES]
    return [*rows, await _measure(SCOPES[1], trials=True)]


async def _measure(scopes: int, *, trials: bool) -> list[Any]:
    files = disjoint_files(POLICIES, scopes)
    if trials:
        files = [_tried(file) if number < POLICIES // 10 else file for number, file in enumerate(files)]
    with tempfile.TemporaryDirectory() as folder:
        settings = load({"HOME": str(Path(folder) / "home")}, {"INTERLAYER_CONFIG": os.devnull})
        async with opened(settings) as parts:
            await parts.domains.governance.publish(settings.principal, files, reason="benchmark")
            answers, taken, worked = await _calls(parts, scopes)
    used = [answer.budget.used for answer in answers]
    return [
        f"{scopes}{', a tenth in trial' if trials else ''}",
        f"{sum(len(answer.rules) for answer in answers) / len(answers):.1f}",
        round(sum(answer.budget.rules for answer in answers) / len(answers)),
        max(used),
        sum(one > TOKENS_BAR for one in used),
        f"{sum(len(answer.sections) for answer in answers) / len(answers):.1f}",
        *(f"{percentile(taken, part):.1f}" for part in (0.5, 0.99)),
        BARS,
        f"{percentile(worked, 0.5):.1f}",
    ]


async def _calls(parts: Parts, scopes: int) -> tuple[list[Any], list[float], list[float]]:
    """Return the answers of calls in scope after scope, their milliseconds, and those of the processor."""
    answers: list[Any] = []
    taken: list[float] = []
    worked: list[float] = []
    for number, task in zip(range(WARMING + CALLS), tasks(3), strict=False):
        facets = _facets(number % scopes)
        begun, at_work = time.perf_counter(), time.process_time()
        answer = await parts.domains.governance.context(parts.settings.principal, task, facets)
        if number >= WARMING:
            taken.append((time.perf_counter() - begun) * 1_000)
            worked.append((time.process_time() - at_work) * 1_000)
            answers.append(answer)
        if answer.degraded or not answer.rules or answer.assumed:
            raise RuntimeError(f"not what is to be measured: {answer.degraded or answer.assumed or 'no rule'}")
    return answers, taken, worked


def _facets(scope: int) -> Facets:
    given = disjoint_facets(scope)
    return Facets(team=given["team"], channel=given["channel"], region=given["region"])


def _tried(file: PolicyFile) -> PolicyFile:
    return PolicyFile(file.path, file.text.replace("rules:", "trial: true\nrules:", 1))
