"""What a caller or a model says of known facts is followed: what it replaces, and what is over."""

from datetime import UTC, datetime
from typing import Any

import pytest

from interlayer.errors import InvalidInput
from interlayer.memory.reconciliation.reconcile import Decision, reconcile
from interlayer.memory.reconciliation.replacing import follow
from interlayer.memory.requests import FactCandidate
from interlayer.models.local import static_vectors
from interlayer.models.scale import REFERENCE
from told_entities import NAME, ToldEntity, on_day

pytestmark = pytest.mark.anyio

ACME = "company:acme.example"
BUDGET = "The annual budget for licences is $50,000."
CARS = "Acme leases twelve cars in Oslo."
OKTA = "Acme uses Okta for single sign-on."
LATER = datetime(2026, 2, 20, tzinfo=UTC)


async def tell(room: Any, text: str, **more: Any) -> dict[str, Any]:
    when = {"observed_at": more.pop("at")} if "at" in more else {}
    answer = await room.memorize(ACME, facts=[FactCandidate(text, 0.9, **more)], name="Acme", **when)
    return dict(answer)


async def known(room: Any, *texts: str) -> list[str]:
    answer = await room.facts(ACME, *texts, name="Acme", observed_at=LATER)
    return [fact["fact_id"] for fact in answer["facts"]]


async def statuses(room: Any) -> dict[str, str]:
    told = await room.recall(ACME, include=["facts", "history"])
    return {fact["text"]: fact["status"] for fact in told["facts"]}


async def test_a_fact_named_by_its_id_is_replaced_whatever_the_words_and_the_time(room: Any) -> None:
    cars, okta = await known(room, CARS, OKTA)
    answer = await tell(room, "The fleet was sold.", replaces=cars, at=datetime(2025, 1, 1, tzinfo=UTC))
    assert answer["facts"][0]["outcome"] == "superseded_older"
    assert answer["facts"][0]["supersedes"] == cars
    assert await statuses(room) == {CARS: "superseded", OKTA: "current", "The fleet was sold.": "current"}
    assert okta not in str(answer["facts"])


@pytest.mark.parametrize("words", ["the annual licence budget", BUDGET.upper(), "The budget for licences is $50,000"])
async def test_a_fact_is_named_by_its_words(room: Any, words: str) -> None:
    await known(room, BUDGET, CARS, OKTA)
    await tell(room, "Acme pays $60,000 a year for seats.", replaces=words)
    assert (await statuses(room))[BUDGET] == "superseded"
    assert (await statuses(room))[CARS] == "current"


@pytest.mark.parametrize("words", ["the menu of the canteen", "The annual budget for licences is $70,000."])
async def test_words_that_fit_nothing_replace_nothing_and_the_answer_says_so(room: Any, words: str) -> None:
    await known(room, BUDGET, CARS)
    answer = await tell(room, "The terrace is closed.", replaces=words)
    assert answer["facts"][0]["outcome"] == "added"
    assert "replaces" in answer["facts"][0]["reason"]
    assert set((await statuses(room)).values()) == {"current"}


async def test_words_that_fit_several_facts_replace_none(room: Any) -> None:
    oslo, lima = "The rent of the office in Oslo is high.", "The rent of the office in Lima is high."
    await known(room, oslo, lima)
    answer = await tell(room, "Acme has no more offices.", replaces="The rent of the office is high.")
    assert "several" in answer["facts"][0]["reason"]
    assert set((await statuses(room)).values()) == {"current"}
    assert {one["text"] for one in answer["related"]} == {oslo, lima}


async def test_an_unknown_id_is_refused_by_name_and_nothing_is_stored(room: Any) -> None:
    await known(room, CARS)
    with pytest.raises(InvalidInput, match=r"facts\.replaces.*no fact of this entity"):
        await tell(room, "The fleet was sold.", replaces="f_0123456789abcdef_7")
    assert await statuses(room) == {CARS: "current"}


async def test_what_would_be_merged_into_the_fact_that_it_replaces_is_kept_as_its_own(room: Any) -> None:
    [cars] = await known(room, CARS)
    again = CARS.replace("twelve", "12").replace(" cars", " cars today")
    answer = await tell(room, again, replaces=cars)
    assert answer["facts"][0]["fact_id"] != cars
    assert await statuses(room) == {CARS: "superseded", again: "current"}


async def test_a_known_fact_that_is_said_again_takes_the_place_of_what_it_is_said_to_replace(room: Any) -> None:
    cars, okta = await known(room, CARS, OKTA)
    answer = await tell(room, OKTA, replaces=cars)
    assert (answer["facts"][0]["outcome"], answer["facts"][0]["supersedes"]) == ("merged", cars)
    assert await statuses(room) == {CARS: "superseded", OKTA: "current"}
    await room.forgetter.forget(room.principal, "wrong", memory_id=answer["memory_id"])
    assert set((await statuses(room)).values()) == {"current"}
    assert okta == answer["facts"][0]["fact_id"]


async def test_what_is_over_is_told_as_it_was(room: Any) -> None:
    await known(room, OKTA, CARS)
    answer = await tell(room, "Acme uses Okta", ended=True)
    assert "history" in answer["facts"][0]["reason"]
    assert await statuses(room) == {OKTA: "superseded", CARS: "current"}
    await tell(room, OKTA)
    assert (await statuses(room))[OKTA] == "current", "it was said again since"


async def test_what_is_over_is_told_by_its_end_and_that_holds(room: Any) -> None:
    [okta] = await known(room, OKTA)
    end = "Acme has cancelled its contract for single sign-on."
    await tell(room, end, ended=True, replaces=okta)
    assert await statuses(room) == {OKTA: "superseded", end: "current"}


async def test_what_was_never_known_and_is_over_is_kept_as_history(room: Any) -> None:
    await known(room, CARS)
    await tell(room, "Acme rents a hall in Bergen.", ended=True)
    assert await statuses(room) == {CARS: "current", "Acme rents a hall in Bergen.": "superseded"}
    assert await room.texts(ACME) == [CARS]


async def test_the_past_shows_what_had_not_ended_yet(room: Any) -> None:
    await known(room, OKTA)
    then = room.clock()
    await tell(room, OKTA, ended=True)
    assert await room.texts(ACME, as_of=then) == [OKTA]
    assert await room.texts(ACME) == []


async def test_a_caller_is_told_what_is_near_to_what_was_added(room: Any) -> None:
    budget, _ = await known(room, BUDGET, CARS)
    answer = await tell(room, "The annual budget for licences was discussed with the board.")
    [related] = answer["related"]
    assert (related["fact_id"], related["text"]) == (budget, BUDGET)
    assert related["to"] == answer["facts"][0]["fact_id"]
    assert 0 < related["similarity"] <= 1


async def test_few_facts_are_related_however_many_are_near(room: Any) -> None:
    await known(room, *(f"Pump {number} of the plant in Oslo was inspected." for number in range(30)))
    answer = await tell(room, "The pumps of the plant in Oslo were painted green.")
    assert 0 < len(answer["related"]) <= 5


async def test_words_of_other_facts_are_not_kept_for_replay(room: Any) -> None:
    await known(room, BUDGET)
    given = {"facts": [FactCandidate("The annual budget for licences was discussed.", 0.9)], "idempotency_key": "k"}
    first = await room.memorize(ACME, **given)
    assert first["related"]
    again = await room.memorize(ACME, **given)
    assert again["replayed"]
    assert "related" not in again


def followed(text: str, replaces: str, origin: Any = "extractor", *, ended: bool = False) -> Decision:
    entity = ToldEntity()
    entity.tell(BUDGET, CARS)
    named = {"budget": entity.fact(BUDGET).record.id, "cars": entity.fact(CARS).record.id}
    candidate = FactCandidate(text, 0.9, origin=origin, replaces=named.get(replaces, replaces), ended=ended)
    vectors = static_vectors([text])
    decided = reconcile([candidate], vectors, entity.view, entity.view.vectors, REFERENCE, [NAME], on_day(3))
    [decision] = follow(decided, entity.view, [NAME], {})
    return decision


@pytest.mark.parametrize("text", ["The licences cost more now.", "They pay $60,000."])
def test_a_model_is_followed_where_a_word_or_a_figure_bears_it(text: str) -> None:
    decision = followed(text, "budget")
    assert decision.replaces == ("f_1_0",)
    assert decision.supersedes == ("f_1_0",)


def test_what_a_model_says_without_a_word_to_bear_it_is_only_linked() -> None:
    decision = followed("Ann prefers tea.", "budget")
    assert decision.replaces == ()
    assert decision.likely == ("f_1_0",)
    assert followed("Ann prefers tea.", "budget", "caller").replaces == ("f_1_0",)


def test_an_id_that_a_model_made_up_changes_nothing() -> None:
    decision = followed("Ann prefers tea.", "f_0123456789abcdef_0")
    assert (decision.outcome, decision.replaces, decision.likely) == ("added", (), ())


def test_what_a_model_says_to_be_over_hides_nothing_that_is_new() -> None:
    for text, replaces in (("Ann prefers tea.", "budget"), ("They pay no more for seats.", "f_0123456789abcdef_0")):
        decision = followed(text, replaces, ended=True)
        assert (decision.outcome, decision.ended, decision.replaces) == ("added", False, ())
    ends = followed("There is no annual budget for licences any more.", "budget", ended=True)
    assert (ends.outcome, ends.ended, ends.replaces) == ("added", False, ("f_1_0",))
