"""The embedder's deadline: what is slow, hangs, or holds its thread costs an answer its vectors and nothing else."""

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import anyio
import anyio.lowlevel
import anyio.to_thread
import pytest

from interlayer.audit.trail import Trail
from interlayer.models.embedder import EmbeddingModel, OneModel, Space, Vectors
from interlayer.models.local import LocalEmbedder
from interlayer.models.scale import REFERENCE
from interlayer_policies.governance import Facets, Governance

pytestmark = pytest.mark.anyio

REFUNDS = "---\nid: refunds\ndescription: Refunds of orders.\n---\n## Steps\nCheck the invoice of the order.\n"
TASK = "Refund an order by its invoice"
STUCK_S = 30  # far beyond any deadline: an answer that waits for the model fails by it


@dataclass
class ScriptedEmbedder:
    """Embeds, once the gate is open: `holds` says what waits at it, nothing or the thread or the call alone."""

    inner: LocalEmbedder
    holds: str = ""
    gate: threading.Event = field(default_factory=threading.Event)
    texts: list[str] = field(default_factory=list)

    @property
    def space(self) -> Space:
        return self.inner.space

    @property
    def at_hand(self) -> bool:
        return True

    @property
    def trouble(self) -> str:
        return ""

    def preload(self) -> None:
        """Nothing is left to load."""

    async def embed(self, texts: Sequence[str], *, query: bool = False, waiting: bool = False) -> Vectors:
        self.texts += texts
        if self.holds:
            await anyio.to_thread.run_sync(self.gate.wait, abandon_on_cancel=self.holds == "call")
        return await self.inner.embed(texts, query=query, waiting=waiting)


@pytest.fixture
def model(embedder: LocalEmbedder) -> Iterator[ScriptedEmbedder]:
    scripted = ScriptedEmbedder(embedder)
    yield scripted
    scripted.gate.set()


@pytest.fixture
async def governance(world: Any, model: ScriptedEmbedder) -> Governance:
    await world.publish(REFUNDS)
    models = OneModel(EmbeddingModel(model, REFERENCE))
    return Governance(world.store, Trail(world.store, world.clock), models, world.entities, world.clock)


@pytest.mark.parametrize("holds", ["thread", "call"])
async def test_an_answer_does_not_wait_for_a_model_that_hangs_and_its_late_word_serves_the_next_call(
    world: Any, governance: Governance, model: ScriptedEmbedder, holds: str
) -> None:
    await governance.context(world.me, "another task", Facets())
    model.holds = holds
    with anyio.fail_after(STUCK_S):
        first = await governance.context(world.me, TASK, Facets())
    assert first.degraded == ("vector",)
    assert [section.policy_id for section in first.sections] == ["refunds"], "words alone decide"
    model.gate.set()
    with anyio.fail_after(STUCK_S):
        while (await governance.context(world.me, TASK, Facets())).degraded:
            await anyio.lowlevel.checkpoint()
    asked = len(model.texts)
    model.gate.clear()
    again = await governance.context(world.me, TASK, Facets())
    assert again.degraded == ()
    assert len(model.texts) == asked, "what was embedded is not embedded again"


async def test_a_model_that_never_answers_is_asked_by_a_few_calls_at_once_and_no_more(
    world: Any, governance: Governance, model: ScriptedEmbedder
) -> None:
    await governance.context(world.me, "another task", Facets())
    model.holds, model.texts = "thread", []
    with anyio.fail_after(STUCK_S):
        async with anyio.create_task_group() as calls:
            for number in range(40):
                calls.start_soon(governance.context, world.me, f"Question number {number}", Facets())
    assert 0 < len({text for text in model.texts if text.startswith("Question")}) <= 8


async def test_a_set_is_served_by_words_while_its_sections_are_being_embedded(
    world: Any, governance: Governance, model: ScriptedEmbedder
) -> None:
    model.holds = "thread"
    with anyio.fail_after(STUCK_S):
        first = await governance.context(world.me, TASK, Facets())
    assert first.degraded == ("vector",)
    assert [section.policy_id for section in first.sections] == ["refunds"]
    model.gate.set()
    with anyio.fail_after(STUCK_S):
        while (await governance.context(world.me, TASK, Facets())).degraded:
            await anyio.lowlevel.checkpoint()
    assert sum("Check the invoice" in text for text in model.texts) == 1, "who waits joins what is under way"
