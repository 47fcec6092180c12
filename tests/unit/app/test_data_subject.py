"""data_subject over MCP: there only for the role `privacy`, and an erasure only by what was shown before."""

from typing import Any

import pytest

from interlayer.principal import ALL_ROLES
from interlayer_tools import TOOLS
from situations import serving

pytestmark = pytest.mark.anyio

PRIVACY = frozenset({"privacy"})
LISA = "contact:lisa.vogt@example.com"


async def fill(server: Any) -> None:
    await server.room.facts(LISA, "Lisa signs contracts.", name="Lisa Vogt")
    await server.room.facts("company:acme.example", "Jens signs now, no longer Lisa Vogt.", "Acme sells pumps.")


async def test_nobody_else_sees_or_reaches_it() -> None:
    async with serving(roles=ALL_ROLES) as server:
        await fill(server)
        assert [one.name for one in (await server.client.list_tools()).tools] == [one.name for one in TOOLS]
        result = await server.client.call_tool("data_subject", {"action": "find", "person": LISA})
        assert result.is_error
        assert "Unknown tool" in str(result.content)


async def test_the_privacy_desk_finds_copies_previews_and_erases() -> None:
    async with serving(roles=PRIVACY) as server:
        await fill(server)
        assert "data_subject" in [one.name for one in (await server.client.list_tools()).tools]
        found = await server.call("find", "data_subject", action="find", person="Lisa Vogt")
        assert {one["place"] for one in found["report"]["mentions"]} == {"fact"}
        copied = await server.call("export", "data_subject", action="export", person=LISA)
        assert copied["records"][0]["record"] == "header"
        assert copied["records"][-1] == {"record": "end", "records": len(copied["records"])}
        rest = await server.call("export", "data_subject", action="export", person=LISA, after=2)
        assert rest["records"][:2] == copied["records"][2:4]
        preview = await server.call("preview", "data_subject", action="preview", person=LISA)
        done = await server.call(
            "erase",
            "data_subject",
            action="erase",
            person=LISA,
            token=preview["preview"]["token"],
            reason="subject_request",
            reference="DPO-7",
        )
        certificate = done["certificate"]
        assert certificate["redacted"]["facts"]["count"] == 1
        again = await server.call("certificate", "data_subject", action="certificate", case=certificate["case"])
        assert again == done
        assert "Vogt" not in str([item.body async for item in server.room.store.scan("memory", "acme#")])


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"action": "erase", "person": LISA, "reason": "mistake"}, "token"),
        ({"action": "erase", "person": LISA, "reason": "mistake", "token": "guess"}, "preview"),
        ({"action": "erase", "person": LISA, "token": "x"}, "reason"),
        ({"action": "find"}, "person"),
        ({"action": "certificate"}, "case"),
    ],
)
async def test_what_is_missing_is_named_and_nothing_is_done(given: dict[str, str], told: str) -> None:
    async with serving(roles=PRIVACY) as server:
        await fill(server)
        result = await server.client.call_tool("data_subject", given)
        assert result.is_error
        assert told in str(result.content)
        assert (await server.room.recall(LISA))["found"]


async def test_a_hold_is_placed_and_released() -> None:
    async with serving(roles=PRIVACY) as server:
        await fill(server)
        held = await server.call("hold", "data_subject", action="hold", person=LISA, reason="other", reference="C-1")
        preview = await server.call("preview", "data_subject", action="preview", person=LISA)
        assert "legal hold" in preview["preview"]["report"]["own"][0]["hold"]
        released = await server.call("release", "data_subject", action="release", person=LISA, reason="other")
        assert released["released"] == held["held"]


async def test_the_role_gives_no_other_tool() -> None:
    async with serving(roles=PRIVACY) as server:
        await fill(server)
        for name, given in (("recall_entity", {"entity": LISA}), ("forget", {"entity": LISA, "reason": "mistake"})):
            result = await server.client.call_tool(name, given)
            assert result.is_error
