"""What governs a task, and what a draft breaks, as text: each policy once, its rules and guidance below."""

from collections.abc import Iterator, Sequence

from interlayer_tools.renderings.outline import Answer, outline, pairs, part, words


def context_text(answer: Answer) -> str:
    """Return the answer of get_governance_context as text."""
    lines = [_opening(answer), *_rules(answer), *_guidance(answer["sections"])]
    if answer["assumed"]:
        lines += ["Assumed, give these facets if you know them:", *(f"- {one}" for one in answer["assumed"])]
    for name in ("overridden", "conflicts", "omitted"):
        lines += part(name, answer[name])
    told = {"policies", "rules", "sections", "assumed", "overridden", "conflicts", "omitted", "unchanged", "budget"}
    return "\n".join([*lines, f"{outline(answer, told)}; tokens {pairs(answer['budget'])}"])


def _opening(answer: Answer) -> str:
    if answer["unchanged"]:
        return "Unchanged: what you hold for this task still governs it."
    if answer["rules"]:
        return "Rules that bind you:"
    return "No rules but those that you hold govern this task." if answer["held"] else "No rule governs this task."


def _rules(answer: Answer) -> Iterator[str]:
    for policy in answer["policies"]:
        about = [f"{policy['policy_id']} v{policy['version']}", policy["tier"], policy["etag"]]
        about += [policy["why"]] if "why" in policy else []
        yield f"{policy['title']} ({', '.join(about)})"
        for rule in answer["rules"]:
            if rule["policy_id"] == policy["policy_id"]:
                yield _rule(rule)


def _guidance(sections: Sequence[Answer]) -> Iterator[str]:
    if sections:
        yield "Guidance:"
    for one in sections:
        ref = f"{one['policy_id']}#{one['section_id']} v{one['version']}"
        yield f"## {one['title']} ({ref}, {one['why']}, {one['etag']})"
        yield one["text"]


def _rule(rule: Answer) -> str:
    why = f" ({rule['why']})" if "why" in rule else ""
    return f"- {rule['rule_id']} {words(rule['level'])}: {rule['text']}{why}"


def check_text(answer: Answer) -> str:
    """Return the answer of check_compliance as text."""
    lines = ["Complies, as far as rules were checked." if answer["compliant"] else "Does not comply."]
    for one in answer["violations"]:
        lines.append(f"- {_place(one)} breaks {_ref(one)} v{one['version']} ({words(one['level'])}): {one['excerpt']}")
        if one["remedy"]:
            lines.append(f"  {one['remedy']}")
    if answer["more"]:
        lines.append(f"and {answer['more']} more")
    if answer["doubtful"]:
        lines.append("Looks so and was not counted:")
        lines += [f"- {_place(one)} {_ref(one)}: {one['why']}" for one in answer["doubtful"]]
    if answer["not_checked"]:
        lines.append(f"Judge these yourself: {', '.join(answer['not_checked'])}")
    return "\n".join([*lines, outline(answer, {"compliant", "violations", "more", "doubtful", "not_checked"})])


def _ref(one: Answer) -> str:
    return f"{one['policy_id']}#{one['rule_id']}"


def _place(one: Answer) -> str:
    return f"characters {one['start']}-{one['end']}" if one["end"] else "something missing"
