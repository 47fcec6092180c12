"""Labelled calls in the words of callers: what concerns them arrives; a rule of elsewhere is left out only if sure."""

import json
from dataclasses import replace
from typing import Any

import pytest

from interlayer.app.mcp_server.process import Interlayer
from interlayer.memory.requests import MemorizeRequest, PropertyCandidate
from interlayer_policies.governance import read_folder
from research_data import needed

pytestmark = pytest.mark.anyio


async def test_each_labelled_call_is_given_what_concerns_it_also_by_what_memory_knows(
    interlayer: Interlayer, call: Any
) -> None:
    folder = needed("facets")
    await interlayer.ready()
    memory, caller = interlayer.domains.memory, interlayer.principal
    files = read_folder(folder / "policies")
    await interlayer.domains.governance.publish(caller, files, reason="acceptance")
    wrong: list[Any] = []
    for line in (folder / "calls.jsonl").read_text(encoding="utf-8").splitlines():
        case = json.loads(line)
        for one in case.get("memory", ()):
            agent = caller if one["agent"] == "caller" else replace(caller, agent=one["agent"])
            value = PropertyCandidate(one["name"], one["value"], one["confidence"])
            await memory.memorizer.memorize(agent, MemorizeRequest(entity=one["entity"], properties=[value]))
        given = {"task": "Write a reply", "max_tokens": 8_000, **case["call"]}
        answer = await call("get_governance_context", **given)
        ids = {rule["policy_id"] for rule in answer["rules"]}
        lost, extra = set(case["must"]) - ids, set(case["must_not"]) & ids
        unsaid = [facet for facet in case["assumed"] if not any(facet in note for note in answer["assumed"])]
        if lost or extra or unsaid:
            wrong.append((case["id"], lost, extra, unsaid))
        if "text" in case:
            facets = {name: value for name, value in case["call"].items() if name != "task"}
            checked = await call("check_compliance", text=case["text"], **facets)
            flagged = {one["policy_id"] for one in checked["violations"]}
            if set(case["flagged_by"]) - flagged or set(case["not_flagged_by"]) & flagged:
                wrong.append((case["id"], flagged))
    assert wrong == []
