"""The OAuth flows of the official MCP client, with somebody at the browser."""

from urllib.parse import parse_qs, urlsplit

import anyio
import anyio.to_thread
from mcp.client.auth import OAuthClientProvider
from mcp.shared.auth import AuthorizationCodeResult, OAuthClientInformationFull, OAuthClientMetadata, OAuthToken
from providers import LOCAL_CALLBACK, Provider


class Kept:
    """Where an MCP client keeps its tokens and its registration, for as long as a check takes."""

    tokens: OAuthToken | None = None
    client: OAuthClientInformationFull | None = None

    async def get_tokens(self) -> OAuthToken | None:
        """Return the tokens."""
        return self.tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        """Keep the tokens."""
        self.tokens = tokens

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        """Return the registration."""
        return self.client

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        """Keep the registration."""
        self.client = client_info


def signing_in(resource: str, provider: Provider, kept: Kept, document: str | None = None) -> OAuthClientProvider:
    """Return the flow of a client that finds everything itself: metadata, registration or its document, code, token."""
    back: list[str] = []

    async def open_page(address: str) -> None:
        back.append(await anyio.to_thread.run_sync(provider.sign_in, address, "ann"))

    async def come_back() -> AuthorizationCodeResult:
        told = {name: values[0] for name, values in parse_qs(urlsplit(back[-1]).query).items()}
        if "code" not in told:
            raise RuntimeError(f"the provider gives no code: {told}")
        return AuthorizationCodeResult(code=told["code"], state=told.get("state"), iss=told.get("iss"))

    metadata = OAuthClientMetadata.model_validate(
        {
            "client_name": "Assistant",
            "redirect_uris": [LOCAL_CALLBACK],
            "grant_types": ["authorization_code", "refresh_token"],
            "token_endpoint_auth_method": provider.registers_as,
        }
    )
    return OAuthClientProvider(resource, metadata, kept, open_page, come_back, document)
