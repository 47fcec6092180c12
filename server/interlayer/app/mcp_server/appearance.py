"""How the server shows itself to people, and how long clients may keep what it lists."""

import base64
from collections.abc import Mapping
from typing import Final

from mcp.server.caching import CacheableMethod, CacheHint
from mcp.types import Icon

_DRAWING: Final = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 48 48"><rect width="48" height="48" rx="10" fill="#14213d"/>\
<path d="M24 8 42 18 24 28 6 18z" fill="#fca311"/>\
<path d="M6 24 24 34 42 24M6 30 24 40 42 30" fill="none" stroke="#fff" stroke-width="3"/></svg>"""

ICON: Final = Icon(
    src=f"data:image/svg+xml;base64,{base64.b64encode(_DRAWING.encode()).decode()}",
    mime_type="image/svg+xml",
    sizes=["any"],
)
"""Layers on one another; in the answer itself, so that no client fetches anything for it."""

_HOUR_MS: Final = 3_600_000
_FIXED: Final = CacheHint(_HOUR_MS, "public")  # the same for everybody until another version of the program runs

CACHE_HINTS: Final[Mapping[CacheableMethod, CacheHint]] = {
    "server/discover": _FIXED,
    "prompts/list": _FIXED,
    "resources/list": _FIXED,
    "resources/templates/list": _FIXED,
    "tools/list": CacheHint(60_000, "private"),  # it names values of facets, which a publish may change
}
"""How long clients may keep what is listed; a resource is read anew each time, for it may have changed."""
