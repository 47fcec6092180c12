"""Who runs a command: whom the key or the token names that it is run with, or whoever the settings say."""

from dataclasses import replace
from typing import Final

import anyio

from interlayer.app.access import PREFIX
from interlayer.app.composition import Parts
from interlayer.app.identity_provider import Jwt
from interlayer.errors import InterlayerError, Refused
from interlayer.principal import Principal

_SETTING: Final = "INTERLAYER_TOKEN"


async def recognized(parts: Parts) -> Parts:
    """Return the parts of a command with the principal that its key or token proves; without one, as they are.

    Raises `Refused` for a key that is none in force and for a token that nobody can be recognized by.
    """
    token, organization = parts.settings.token, parts.settings.principal.organization
    if not token:
        return parts
    if token.startswith(f"{PREFIX}_"):
        found = await parts.access.caller(organization, token)
        if found is None:
            raise Refused(
                f"{_SETTING}: no API key of {organization} that is in force; `interlayer access list` has them."
            )
        principal = found[1]
    elif isinstance(parts.settings.auth, Jwt):
        principal = await _by_provider(parts.settings.auth, organization, token)
    else:
        raise Refused(
            f"{_SETTING}: neither an API key, nor is there an identity provider to ask (INTERLAYER_AUTH=jwt)."
        )
    return replace(parts, settings=replace(parts.settings, principal=principal))


async def _by_provider(jwt: Jwt, organization: str, token: str) -> Principal:
    """Return whom an access token of the identity provider stands for. Raises `Refused` and `Unavailable`."""
    from interlayer.app.mcp_server.authentication import JwtVerifier, principal_in

    verifier = JwtVerifier(jwt, organization)
    outcome: Principal | InterlayerError | None = None
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(verifier.keys.run)
        try:
            outcome = principal_in(await verifier.verify_token(token))
        except InterlayerError as error:
            outcome = error
        tasks.cancel_scope.cancel()
    if isinstance(outcome, Principal):
        return outcome
    raise outcome or Refused(f"{_SETTING}: nobody is recognized by this token.")
