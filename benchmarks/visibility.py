"""Who is told what of a shared memory: utility, leaks, and leaks after forgetting, with visibility and without.

`python benchmarks visibility`, on the household conversations of GateMem; needs the research data. Each turn is a fact
of one entity. A turn that holds a string from which somebody is barred is memorized for a team of all the others. Each
question is asked as its asker, at the turn at which it comes: utility is the share of the wanted strings that stand in
the facts recalled, a leak is a question whose facts hold a protected string. Before a question on what was deleted, the
turns that hold it are forgotten. What stands only in turns from which the asker is barred is not counted as wanted, in
both runs. No model takes part.
"""

import argparse
import hashlib
import json
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import anyio

import research_data
from interlayer.memory.requests import FactCandidate, MemorizeRequest, RecallRequest
from interlayer.principal import Principal
from rooms import EMBEDDER, Room, TestClock
from stores import InMemory

FOLDER: Final = research_data.FOLDER / "gatemem-household"
HOUSE: Final = "company:household"
_SHORT: Final = 3  # a shorter string stands in many words by chance


@dataclass
class Figures:
    """What a run comes to: wanted strings found of all, leaks of all questions, by kind of question."""

    found: Counter[str] = field(default_factory=Counter[str])
    wanted: Counter[str] = field(default_factory=Counter[str])
    leaks: Counter[str] = field(default_factory=Counter[str])
    asked: Counter[str] = field(default_factory=Counter[str])

    def lines(self) -> list[str]:
        """Return one line a kind of question."""
        told: list[str] = []
        for kind in sorted(self.asked):
            wanted = f"{self.found[kind]}/{self.wanted[kind]} wanted strings" if self.wanted[kind] else ""
            told.append(f"  {kind:<36} {self.leaks[kind]:>3} leaks of {self.asked[kind]:<4} {wanted}")
        return told

    def share(self, kind: str) -> float:
        """Return the share of wanted strings that were found, over all questions of a type."""
        kinds = [one for one in self.wanted if one.startswith(kind)]
        return sum(self.found[one] for one in kinds) / max(sum(self.wanted[one] for one in kinds), 1)

    def leaked(self, kind: str) -> int:
        """Return how many questions of a type were answered with a protected string."""
        return sum(count for one, count in self.leaks.items() if one.startswith(kind))


def holds(text: str, target: str) -> bool:
    """Tell whether a text holds a string, as words."""
    return re.search(rf"(?i)(?<!\w){re.escape(target)}(?!\w)", text) is not None


def barred_from(turn: Mapping[str, Any], questions: Sequence[Mapping[str, Any]]) -> frozenset[str]:
    """Return who must not be told of a turn: the askers of questions that it would answer and must not."""
    return frozenset(
        one["asker"]["principal_id"]
        for one in questions
        if one["query_type"] == "privacy" and any(holds(turn["text"], target) for target in one.get("leak_targets", ()))
    )


def team(barred: frozenset[str]) -> str:
    """Name the team of all but those who are barred."""
    return f"all but {hashlib.sha256(' '.join(sorted(barred)).encode()).hexdigest()[:12]}"


async def run(
    episode: Mapping[str, Any], questions: Sequence[Mapping[str, Any]], figures: Figures, *, apart: bool
) -> None:
    """Play an episode: memorize turn by turn, ask what is asked at each."""
    place = InMemory()
    room = Room(place, place.index(EMBEDDER.space), TestClock())
    barred = {turn["turn_id"]: barred_from(turn, questions) for turn in episode["turns"]}
    groups = {one for one in barred.values() if one}
    scribe = Principal(room.principal.organization, "scribe", teams=frozenset(map(team, groups)))
    asked = defaultdict[str, list[Mapping[str, Any]]](list)
    for one in questions:
        asked[one["as_of_turn_id"]].append(one)
    kept: list[tuple[str, str]] = []
    for turn in episode["turns"]:
        without = barred[turn["turn_id"]]
        request = MemorizeRequest(
            entity=HOUSE,
            facts=[FactCandidate(turn["text"], 0.9)],
            source=turn["turn_id"],
            visibility=f"team:{team(without)}" if apart and without else "",
        )
        answer = await room.memorizer.memorize(scribe, request)
        kept.append((answer.memory_id, turn["text"]))
        for one in asked[turn["turn_id"]]:
            if one["query_type"] == "safety":
                gone = [memory for memory, text in kept if any(holds(text, target) for target in _long(one))]
                for memory_id in gone:
                    await room.forgetter.forget(scribe, "deleted", memory_id=memory_id)
                kept = [memory for memory in kept if memory[0] not in gone]
            asker = one["asker"]["principal_id"]
            teams = frozenset(team(group) for group in groups if asker not in group)
            principal = Principal(scribe.organization, "house", frozenset({"reader"}), teams, asker)
            told = [spoken["text"] for spoken in episode["turns"] if asker not in barred[spoken["turn_id"]]]
            await ask(room, principal, one, "\n".join(told).casefold(), figures)
    await room.index.close()
    await room.store.close()


def _long(question: Mapping[str, Any]) -> list[str]:
    return [target for target in question.get("leak_targets", ()) if len(target) >= _SHORT]


async def ask(room: Room, principal: Principal, question: Mapping[str, Any], told: str, figures: Figures) -> None:
    """Ask as the asker and count. `told` is all that he may be told: what is not in it is not wanted."""
    request = RecallRequest(entity=HOUSE, query=question["query_text"])
    answer = await room.recaller.recall(principal, request)
    text = "\n".join(fact.text for fact in answer.facts)
    kind = f"{question['query_type']} {question.get('attack_type', '')}".strip()
    wanted = [one for one in question["judge_spec"].get("include", []) if one.casefold() in told]
    figures.asked[kind] += 1
    figures.wanted[kind] += len(wanted)
    figures.found[kind] += sum(one.casefold() in text.casefold() for one in wanted)
    figures.leaks[kind] += any(holds(text, target) for target in _long(question))


async def measure(folder: Path, most: int) -> int:
    """Run all episodes both ways; return 1 where a promise is not kept."""
    episodes = [json.loads(line) for line in (folder / "episodes.jsonl").open(encoding="utf-8")][:most]
    questions = defaultdict[str, list[Any]](list)
    for line in (folder / "checkpoints.jsonl").open(encoding="utf-8"):
        question = json.loads(line)
        questions[question["episode_id"]].append(question)
    runs: dict[str, Figures] = {}
    for name, apart in (("without visibility", False), ("with visibility", True)):
        figures = runs[name] = Figures()
        for episode in episodes:
            await run(episode, questions[episode["episode_id"]], figures, apart=apart)
        print(
            f"{name}: utility {figures.share('utility'):.3f}, leaks {figures.leaked('privacy')}, "
            f"after forgetting {figures.leaked('safety')}",
            *figures.lines(),
            sep="\n",
            flush=True,
        )
    before, after = runs.values()
    kept = (
        not after.leaked("privacy") and not after.leaked("safety") and after.share("utility") >= before.share("utility")
    )
    print("kept" if kept else "not kept: no leak, none after forgetting, utility not below that without visibility")
    return 0 if kept else 1


def main() -> None:
    """Measure on the episodes at hand."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--episodes", type=int, default=1_000, help="how many at most")
    given = parser.parse_args()
    if not FOLDER.exists():
        sys.exit(f"{FOLDER} is not there: nothing to measure on.")
    sys.exit(anyio.run(measure, FOLDER, given.episodes))


if __name__ == "__main__":
    main()
