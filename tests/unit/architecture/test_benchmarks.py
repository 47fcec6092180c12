"""`make bench NAME=...` finds every benchmark, and lists them for whoever does not know the names."""

import subprocess
import sys
from pathlib import Path

BENCHMARKS = Path(__file__).parents[3] / "benchmarks"


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, str(BENCHMARKS), *arguments], capture_output=True, text=True, check=False)


def test_the_list_names_each_benchmark_and_what_it_measures() -> None:
    listed = run("list")
    assert listed.returncode == 0
    purposes = dict(line.split(maxsplit=1) for line in listed.stdout.splitlines())
    assert set(purposes) == {file.stem for file in BENCHMARKS.glob("*.py") if file.stem != "__main__"}
    assert all(purpose.endswith(".") for purpose in purposes.values())


def test_an_unknown_name_lists_the_known_ones() -> None:
    unknown = run("nothing")
    assert unknown.returncode == 2
    assert unknown.stdout == run("list").stdout
    assert "'nothing'" in unknown.stderr


def test_a_benchmark_gets_the_options_after_its_name() -> None:
    helped = run("notices", "--help")
    assert helped.returncode == 0
    assert "--publishes" in helped.stdout
