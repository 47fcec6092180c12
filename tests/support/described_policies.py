"""Policies that differ in nothing but how well their name and description say what they are for, and tasks for them."""

import json
from pathlib import Path

from interlayer_policies.document.policy import PolicyFile

BODY = "## In practice\nFollow this document step by step, and ask its owner when something in it is not clear.\n"

# Invented, three for each category of the research data: what people who never saw the policies would ask for.
TASKS: dict[str, tuple[str, ...]] = {
    "sales": (
        "Prepare for the first discovery call with a new prospect next Tuesday",
        "Suggest qualification questions for an initial meeting with a prospect's CFO",
        "Debrief the discovery call and recommend next steps",
    ),
    "brand": (
        "Write a proposal email to a prospect in the tone of our company",
        "Review this marketing brochure against our style and messaging standards",
        "Draft customer-facing content for the launch email",
    ),
    "compliance": (
        "A customer sent a GDPR request to delete the data we hold on them",
        "Design a data pipeline that stores customer PII",
        "Answer the security review of a customer who asks how we process and store their data",
    ),
    "product": (
        "Answer a prospect who asks about the architecture and integrations of our analytics platform",
        "Which features differentiate the analytics platform from its competitors?",
        "A prospect wants to know the roadmap and the performance of the core platform",
    ),
    "support": (
        "Triage an incoming support ticket: a customer reports an outage",
        "Which response time applies to a P1 incident, and who has to be notified?",
        "Classify the severity of the issue that a customer reported",
    ),
}


def described_policies(folder: Path, way: str) -> list[PolicyFile]:
    """Return the policies of one way (`well_authored` or `poorly_authored`), with ids that are their categories."""
    pairs = json.loads((folder / "governance_pairs" / "variable_pairs.json").read_text(encoding="utf-8"))
    return [PolicyFile(f"{pair['category']}.md", _text(pair["category"], pair[way])) for pair in pairs]


def _text(category: str, words: dict[str, str]) -> str:
    head = json.dumps({"id": category, "title": words["name"], "description": words["description"]})
    return f"---\n{head}\n---\n{BODY}"
