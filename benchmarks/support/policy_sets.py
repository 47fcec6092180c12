"""Policies of an invented organization, as many as are wanted, and tasks about them: the same for the same seed.

Teams grow with the set, so that what governs one call stays what a person could read; a few policies bind everybody.
"""

import random
from collections.abc import Iterator, Sequence
from itertools import count
from typing import Final

from interlayer_policies.document.policy import PolicyFile

CHANNELS: Final = ("email", "chat", "phone", "social")
REGIONS: Final = ("eu", "us", "uk", "apac", "latam")
EVERYBODY: Final = 4
_POLICIES_A_TEAM: Final = 40
_WITH_RULES: Final = 0.12

AREAS: Final = {
    "refunds": "refund invoice return receipt order credit chargeback restocking voucher reimbursement",
    "pricing": "discount quote tier margin rebate list-price bundle uplift annual-plan promotion",
    "privacy": "personal-data consent deletion retention subject-access breach anonymisation processor cookie export",
    "security": "password token access-review laptop phishing encryption incident vulnerability badge backup",
    "travel": "flight hotel per-diem mileage visa booking rail expense upgrade itinerary",
    "hiring": "candidate interview offer-letter referral background-check salary-band probation panel vacancy",
    "support": "ticket escalation severity outage workaround response-time callback queue handover satisfaction",
    "contracts": "renewal liability signature amendment termination indemnity notice-period order-form exhibit",
    "shipping": "parcel carrier customs pallet tracking freight delay warehouse label dispatch",
    "marketing": "campaign newsletter logo testimonial webinar press-release landing-page brand tone sponsorship",
    "finance": "budget purchase-order accrual forecast vendor payment audit ledger depreciation write-off",
    "safety": "helmet inspection forklift evacuation first-aid hazard permit ventilation ladder spill",
    "leave": "holiday sick-day parental sabbatical carry-over absence rota overtime shift bereavement",
    "quality": "defect sample calibration batch recall supplier tolerance inspection-plan deviation certificate",
    "training": "course workshop certification onboarding mentor exam refresher attendance e-learning trainer",
    "loans": "mortgage collateral repayment interest guarantor credit-check overdraft arrears valuation refinancing",
}
ASPECTS: Final = ("approval", "exceptions", "records", "deadlines", "roles", "disputes", "limits", "communication")
_WHO: Final = (
    "the team lead",
    "the duty manager",
    "legal",
    "the finance partner",
    "the account owner",
    "the regional desk",
)
_DO: Final = ("check", "record", "confirm", "compare", "refuse", "approve", "forward", "document", "review", "correct")
_WHEN: Final = (
    "before anything is promised", "within two working days", "as soon as the request is complete",
    "after the customer has confirmed in writing", "at the end of each month", "whenever a figure has changed",
    "unless a signed exception is on file", "if the amount is above the limit of the level",
)  # fmt: skip
_ASK: Final = (
    "Write an email to the customer about the {0} and the {1}.",
    "The customer asks why the {0} was refused and what happens to the {1}.",
    "Prepare an answer on {0} for a partner who has a question about {1}. They wrote twice already.",
    "Summarize what we may say about {0}. Then draft a short note on {1}. Mention the {2} where it matters.",
    "Decide whether this {0} needs approval, who has to be told of the {1}, and what to record about the {2}.",
)


def team_count(policies: int) -> int:
    """Return how many teams an organization with so many policies has."""
    return max(12, policies // _POLICIES_A_TEAM)


def policy_files(wanted: int, seed: int = 1) -> list[PolicyFile]:
    """Return so many policies, each with guidance, some with rules; those of a team mostly bound to it."""
    chance = random.Random(seed)  # noqa: S311
    return [_policy(number, wanted, chance) for number in range(wanted)]


def disjoint_files(wanted: int, scopes: int, seed: int = 1) -> list[PolicyFile]:
    """Return so many policies of two rules and guidance, bound in turn to one of so many scopes that never meet."""
    chance = random.Random(seed)  # noqa: S311
    return [_disjoint(number, number % scopes, chance) for number in range(wanted)]


def disjoint_facets(scope: int) -> dict[str, str]:
    """Return the facets of a call that is in one of the scopes of `disjoint_files`, and in no other."""
    places = len(CHANNELS) * len(REGIONS)
    place = scope % places
    return {
        "team": f"team-{scope // places}",
        "channel": CHANNELS[place % len(CHANNELS)],
        "region": REGIONS[place // len(CHANNELS)],
    }


def tasks(seed: int = 2) -> Iterator[str]:
    """Yield tasks without end, none like another."""
    chance = random.Random(seed)  # noqa: S311
    for number in count():
        topics = [topic.replace("-", " ") for topic in chance.sample(AREAS[chance.choice(list(AREAS))].split(), 3)]
        yield f"{chance.choice(_ASK).format(*topics)} Reference {10_000 + number}."


def _policy(number: int, wanted: int, chance: random.Random) -> PolicyFile:
    area = chance.choice(list(AREAS))
    topics = [topic.replace("-", " ") for topic in chance.sample(AREAS[area].split(), 4)]
    aspect = chance.choice(ASPECTS)
    head = [f"id: {area}-{number}", f"title: '{topics[0].capitalize()}: {aspect}'"]
    head.append(f"description: Who decides on {topics[0]} and {topics[1]} in {area}, and what has to be recorded.")
    binding = number < EVERYBODY
    if not binding:
        limits = [f"teams: [team-{chance.randrange(team_count(wanted))}]"]
        limits += chance.choice(
            ([], [f"channels: [{chance.choice(CHANNELS)}]"], [f"regions: [{chance.choice(REGIONS)}]"])
        )
        head.append(f"scope: {{{', '.join(limits)}}}")
    if binding or chance.random() < _WITH_RULES:
        rules = [
            f"Never {chance.choice(_DO)} a {topic} {chance.choice(_WHEN)}." for topic in topics[: chance.randint(1, 3)]
        ]
        head.append("rules:\n" + "\n".join(f"  - {rule}" for rule in rules))
    body = [_section(title, topics, area, chance) for title in chance.sample(ASPECTS, chance.randint(2, 5))]
    text = "\n".join(["---", *head, "---", *body, ""])
    return PolicyFile(f"{area}/{area}-{number}.md", text)


def _disjoint(number: int, scope: int, chance: random.Random) -> PolicyFile:
    area = chance.choice(list(AREAS))
    topics = [topic.replace("-", " ") for topic in chance.sample(AREAS[area].split(), 4)]
    aspect = chance.choice(ASPECTS)
    limits = ", ".join(f"{facet}s: [{value}]" for facet, value in disjoint_facets(scope).items())
    rules = [f"Never {chance.choice(_DO)} a {topic} {chance.choice(_WHEN)}." for topic in topics[:2]]
    head = [
        f"id: {area}-{number}",
        f"title: '{topics[0].capitalize()}: {aspect}'",
        f"description: Who decides on {topics[0]} and {topics[1]} in {area}, and what has to be recorded.",
        f"scope: {{{limits}}}",
        "rules:",
        *(f"  - {rule}" for rule in rules),
    ]
    body = [_section(title, topics, area, chance) for title in chance.sample(ASPECTS, 2)]
    return PolicyFile(f"{area}/{area}-{number}.md", "\n".join(["---", *head, "---", *body, ""]))


def _section(title: str, topics: Sequence[str], area: str, chance: random.Random) -> str:
    lines = [
        f"{chance.choice(_WHO).capitalize()} must {chance.choice(_DO)} the {chance.choice(topics)} "
        f"{chance.choice(_WHEN)}, and {chance.choice(_DO)} the {chance.choice(AREAS[area].split()).replace('-', ' ')} "
        f"under code {chance.randrange(100, 999)}."
        for _ in range(chance.randint(3, 7))
    ]
    return f"## {title.capitalize()} of a {topics[0]}\n" + "\n".join(lines)
