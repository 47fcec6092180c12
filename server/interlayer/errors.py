"""Every error that a caller can act on.

InterlayerError
├── InvalidInput   a field is wrong; names the field, the problem and the remedy
├── NotFound       nothing bears that name
├── Ambiguous      several do; lists the candidates
├── Refused        allowed by form, not by rule (roles, governance, settings)
├── Conflict       someone else wrote first; the caller may retry
├── Unavailable    a store or model is out of reach; retryable
└── Corrupt        stored data cannot be read; says how to recover

Each message is one or two sentences that a model or a person can act on. The tool layer turns these into MCP
answers and the command line into exit codes; nothing else does.
"""


class InterlayerError(Exception):
    """A failure with a remedy. `code` is stable and documented; the text may change."""

    code = "error"


class InvalidInput(InterlayerError):
    """The caller's input is wrong."""

    code = "invalid_input"

    def __init__(self, field: str, problem: str, remedy: str = "") -> None:
        super().__init__(f"{field}: {problem}" + (f" {remedy}" if remedy else ""))
        self.field = field


class NotFound(InterlayerError):
    """Nothing bears that name."""

    code = "not_found"


class Ambiguous(InterlayerError):
    """Several things bear that name; the message lists them."""

    code = "ambiguous"


class Refused(InterlayerError):
    """Well-formed, but not allowed."""

    code = "refused"


class Conflict(InterlayerError):
    """Somebody else wrote first and the change was not applied."""

    code = "conflict"


class Unavailable(InterlayerError):
    """A store or model cannot be reached just now; the same call may succeed later."""

    code = "unavailable"


class Corrupt(InterlayerError):
    """Stored data cannot be read."""

    code = "corrupt"
