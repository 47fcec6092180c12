"""What keeps proposed files from being published."""

from collections.abc import Sequence

from interlayer.errors import InvalidInput
from interlayer_policies.document.policy import PolicyFile, Problem
from interlayer_policies.document.vocabulary import Vocabulary
from interlayer_policies.starter import vocabulary_of

_PROBLEMS_SHOWN = 20


class PolicyProblems(InvalidInput):
    """The proposed files cannot be published; nothing was. `problems` are the errors, by file and line."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        shown = "; ".join(str(problem) for problem in problems[:_PROBLEMS_SHOWN])
        rest = len(problems) - _PROBLEMS_SHOWN
        super().__init__("policies", shown + (f"; and {rest} more" if rest > 0 else ""))
        self.problems = tuple(problems)


def read_vocabulary(files: Sequence[PolicyFile]) -> Vocabulary:
    """Return the vocabulary of proposed files. Raises `PolicyProblems` where it cannot be read."""
    read = vocabulary_of(files)
    if isinstance(read, Vocabulary):
        return read
    raise PolicyProblems(read)
