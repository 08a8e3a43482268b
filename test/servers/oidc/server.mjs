// An OpenID provider on the loopback: the real thing, but for its login page, which lets everybody in as whom they say.
//
//   node server.mjs    prints its port. A person is "subject;e-mail address;verified (true or false);organisation", given as login_hint.
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import Provider from 'oidc-provider';

const kinds = { RS256: ['rsa', { modulusLength: 2048 }], ES256: ['ec', { namedCurve: 'P-256' }], EdDSA: ['ed25519', {}] };
const keys = Object.entries(kinds).map(([alg, kind]) => ({
  ...generateKeyPairSync(...kind).privateKey.export({ format: 'jwk' }), alg, use: 'sig', kid: `${alg}-${randomUUID()}`,
}));

const server = createServer();
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const issuer = `http://127.0.0.1:${server.address().port}`;

const provider = new Provider(issuer, {
  clients: Object.keys(kinds).map((alg) => ({
    client_id: `client-${alg}`, client_secret: 'test', redirect_uris: [`${issuer}/callback`], id_token_signed_response_alg: alg,
    grant_types: ['authorization_code'], response_types: ['code'],
  })),
  jwks: { keys },
  enabledJWA: { idTokenSigningAlgValues: Object.keys(kinds) },
  claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['org'] },
  conformIdTokenClaims: false,
  pkce: { methods: ['S256'], required: () => false },
  cookies: { keys: [randomUUID()] },
  features: { devInteractions: { enabled: false } },
  findAccount: (_, id) => {
    const [subject, email, verified, org] = id.split(';');
    return { accountId: id, claims: () => ({ sub: subject, email, email_verified: verified === 'true', org }) };
  },
  loadExistingGrant: async ({ oidc }) => {
    const grant = new oidc.provider.Grant({ clientId: oidc.client.clientId, accountId: oidc.session.accountId });
    grant.addOIDCScope('openid email profile');
    await grant.save();
    return grant;
  },
});

const answer = provider.callback();
server.on('request', async (request, response) => {
  if (!request.url.startsWith('/interaction/')) return answer(request, response);
  const { params } = await provider.interactionDetails(request, response);
  return provider.interactionFinished(request, response, { login: { accountId: params.login_hint } });
});
console.log(server.address().port);
