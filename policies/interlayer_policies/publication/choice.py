"""Publishing some policies of a folder: the published set with these put in, everything else as it is."""

from collections.abc import Mapping, Sequence
from datetime import tzinfo

from interlayer.errors import InvalidInput
from interlayer_policies.document.frontmatter import nearest
from interlayer_policies.document.names import fold_id
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
    found = {fold_id(policy): file for policy, file in published.items()}
    for name in only:
        key = fold_id(name)
        file = proposed.get(key)
        if file is None and problems:
            raise PolicyProblems(problems)
        if file is None:
            removal = " To remove a policy, publish the whole folder without it." if key in found else ""
            raise InvalidInput("only", f"the folder has no policy {name!r}; {nearest(key, list(proposed))}.{removal}")
        clash = next((one for one, other in found.items() if other.path == file.path and one != key), None)
        if clash:
            problem = f"{file.path} is the file of {clash} in what is published."
            raise InvalidInput("only", problem, "Give the file another name, or publish the whole folder.")
        found[key] = file
    return list(found.values())


def _by_id(files: Sequence[PolicyFile], zone: tzinfo) -> tuple[dict[str, PolicyFile], list[Problem]]:
    """Return the files by folded policy id, and the problems of those that cannot be read."""
    found: dict[str, PolicyFile] = {}
    problems: list[Problem] = []
    for file in files:
        if file.path == VOCABULARY_FILE:
            found[VOCABULARY_FILE] = file
            continue
        read = parse(file, zone)
        if isinstance(read, Policy):
            found[fold_id(read.id)] = file
        else:
            problems += read
    return found, problems
