// oidc-provider, configured as docs/identity-providers.md says. Started by identity_providers.py, which gives all that
// differs as JSON in the environment: port, the address of our server, key set, clients, and the enterprise's keys.

import Provider, { errors } from 'oidc-provider';
import { createLocalJWKSet, jwtVerify } from 'jose';

const given = JSON.parse(process.env.GIVEN);
const issuer = `http://127.0.0.1:${given.port}`;
const scopes = ['interlayer:reader', 'interlayer:writer', 'interlayer:steward'];
const people = { ann: ['support'], bob: ['stewards'] };

const provider = new Provider(issuer, {
  clients: given.clients,
  jwks: given.jwks,
  scopes: ['openid', 'offline_access', ...scopes],
  // Logs in whom the form names, with any password: the only thing here that no company would do.
  findAccount: (ctx, id) => (id in people ? { accountId: id, claims: () => ({ sub: id }) } : undefined),
  extraTokenClaims: (ctx, token) => (token.accountId ? { groups: people[token.accountId] } : undefined),
  pkce: { required: () => true },
  issueRefreshToken: (ctx, client, code) => client.grantTypeAllowed('refresh_token') && code.scopes.has('offline_access'),
  ttl: { AccessToken: 600, ClientCredentials: 600, Grant: 3600, Interaction: 600, RefreshToken: 3600, Session: 3600, IdToken: 600 },
  features: {
    clientCredentials: { enabled: true },
    registration: { enabled: true }, // whoever asks becomes a client (RFC 7591)
    clientIdMetadataDocument: { enabled: true, ack: 'draft-02' },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: (ctx, indicator) => {
        if (indicator !== given.resource) throw new errors.InvalidTarget();
        return { scope: scopes.join(' '), audience: indicator, accessTokenFormat: 'jwt', jwt: { sign: { alg: 'RS256' } } };
      },
    },
  },
  // The document of a client that lives at an https address, answered from here: nothing outside is asked.
  fetch: async (url, options) => {
    const document = given.documents[String(url)];
    return document ? Response.json(document) : fetch(url, options);
  },
});

// Enterprise-managed authorization: takes an identity assertion of the enterprise (ID-JAG) and issues an access token.
const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
const enterprise = createLocalJWKSet(given.enterprise.jwks);
provider.registerGrantType(JWT_BEARER, async (ctx) => {
  const { client, params } = ctx.oidc;
  const { payload } = await jwtVerify(params.assertion, enterprise, {
    typ: 'oauth-id-jag+jwt', issuer: given.enterprise.issuer, audience: issuer, requiredClaims: ['exp', 'sub', 'client_id'],
  }).catch((error) => { throw new errors.InvalidGrant(error.message); });
  if (payload.client_id !== client.clientId) throw new errors.InvalidGrant('assertion of another client');
  if (payload.resource !== given.resource) throw new errors.InvalidTarget();
  const grant = new provider.Grant({ accountId: payload.sub, clientId: client.clientId });
  grant.addResourceScope(payload.resource, payload.scope);
  const token = new provider.AccessToken({
    client, accountId: payload.sub, grantId: await grant.save(), gty: 'jwt_bearer', scope: payload.scope,
  });
  token.resourceServer = new provider.ResourceServer(payload.resource, {
    scope: scopes.join(' '), audience: payload.resource, accessTokenFormat: 'jwt', jwt: { sign: { alg: 'RS256' } },
  });
  ctx.body = { access_token: await token.save(), expires_in: token.expiration, scope: token.scope, token_type: 'Bearer' };
}, ['assertion', 'resource', 'scope']);

provider.on('server_error', (ctx, error) => console.error(error)); // a fault of this file
provider.listen(given.port, '127.0.0.1', () => console.log('listening'));
