"""Publishing some policies of a folder: the published set with these put in, everything else as it is."""

from collections.abc import Mapping, Sequence
from datetime import tzinfo

from interlayer.errors import InvalidInput
from interlayer_policies.document.frontmatter import nearest
from interlayer_policies.document.parser import parse
from interlayer_policies.document.policy import Policy, PolicyFile, Problem
from interlayer_policies.document.vocabulary import VOCABULARY_FILE
from interlayer_policies.publication.problems import PolicyProblems


def chosen(
    published: Mapping[str, PolicyFile], files: Sequence[PolicyFile], only: Sequence[str], zone: tzinfo
) -> list[PolicyFile]:
    """Return the published files, by policy id, with the policies of `only` as the proposed files have them.

    `facets.yaml` names the vocabulary. Raises `InvalidInput` for a policy that the proposed files do not have, and
    `PolicyProblems` where it may be one that cannot be read.
    """
    proposed, problems = _by_id(files, zone)
    found = dict(published)
    for name in only:
        known = {one.casefold(): one for one in proposed}
        policy = known.get(name.casefold())
        if policy is None and problems:
            raise PolicyProblems(problems)
        if policy is None:
            removal = " To remove a policy, publish the whole folder without it." if name in published else ""
            raise InvalidInput("only", f"the folder has no policy {name!r}; {nearest(name, list(proposed))}.{removal}")
        clash = next((one for one, file in found.items() if file.path == proposed[policy].path and one != policy), None)
        if clash:
            problem = f"{proposed[policy].path} is the file of {clash} in what is published."
            raise InvalidInput("only", problem, "Give the file another name, or publish the whole folder.")
        found[policy] = proposed[policy]
    return list(found.values())


def _by_id(files: Sequence[PolicyFile], zone: tzinfo) -> tuple[dict[str, PolicyFile], list[Problem]]:
    found: dict[str, PolicyFile] = {}
    problems: list[Problem] = []
    for file in files:
        if file.path == VOCABULARY_FILE:
            found[VOCABULARY_FILE] = file
            continue
        read = parse(file, zone)
        if isinstance(read, Policy):
            found[read.id] = file
        else:
            problems += read
    return found, problems
