import jwt from '@fastify/jwt';
import type { FastifyReply, FastifyRequest } from 'fastify';
import plugin from 'fastify-plugin';
import { RequestRefused } from './request-refused.ts';

/** How bearer tokens are checked. */
export interface AuthOptions {
  /** A shared secret or a public key in PEM; `null` when none is configured, and then nobody may write. */
  readonly key: { readonly secret: string } | { readonly publicKey: string } | null;
  /** Whether reading needs a token too. */
  readonly required: boolean;
  /** The audience that tokens must be for; `null` for any. */
  readonly audience: string | null;
}

/** Who sent a request. */
export interface Viewer {
  /** The token's `sub`; `null` when it has none. */
  readonly subject: string | null;
  readonly scopes: ReadonlySet<string>;
}

/** The scope that a mutation needs. */
const WRITE = 'write';

/** Only these are accepted: a public key must never be taken for a shared secret, nor `none` for a signature. */
const SECRET_ALGORITHMS = ['HS256', 'HS384', 'HS512'] as const;
const PUBLIC_ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
] as const;

declare module '@fastify/jwt' {
  interface FastifyJWT {
    payload: { sub?: string; scope?: string };
    user: { sub?: string; scope?: string };
  }
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Who sent it; `null` for an anonymous reader. */
    viewer: Viewer | null;
  }
}

/** Checks bearer tokens (RFC 6750) and what they allow. */
export const authPlugin = plugin<{ auth: AuthOptions }>(
  async (app, { auth }) => {
    app.decorateRequest('viewer', null);
    const { key } = auth;
    if (key !== null) {
      const shared = 'secret' in key;
      await app.register(jwt, {
        secret: shared ? key.secret : { public: key.publicKey },
        verify: {
          algorithms: [...(shared ? SECRET_ALGORITHMS : PUBLIC_ALGORITHMS)],
          // A token that names no audience was not meant for this one.
          ...(auth.audience === null ? {} : { allowedAud: auth.audience, requiredClaims: ['aud'] }),
        },
      });
    }
    app.addHook('onRoute', (route) => {
      if (route.url === '/graphql') route.preValidation = [identify(auth), ...[route.preValidation ?? []].flat()];
    });
  },
  { name: 'larder-auth', fastify: '5.x' },
);

/**
 * Lets a mutation run only for those who may write.
 *
 * @param auth how tokens are checked
 * @param request the request that carries the mutation
 * @param reply its reply, which gets the challenge
 * @throws {RequestRefused} 401 without a token, 403 when it does not allow writing or nobody may write
 */
export function authorize(auth: AuthOptions, { viewer }: FastifyRequest, reply: FastifyReply): void {
  if (auth.key === null) {
    throw new RequestRefused(403, 'FORBIDDEN', 'Mutations are off: this server has no key to check tokens with.');
  }
  if (viewer === null) throw unauthenticated(reply, 'Mutations need a bearer token.');
  if (!viewer.scopes.has(WRITE)) {
    reply.header('www-authenticate', `Bearer error="insufficient_scope", scope="${WRITE}"`);
    throw new RequestRefused(403, 'FORBIDDEN', `Mutations need a token with the scope ${WRITE}.`);
  }
}

function identify({ key, required }: AuthOptions) {
  const verify = async (request: FastifyRequest, reply: FastifyReply) => {
    let claims: { sub?: string; scope?: string };
    try {
      claims = await request.jwtVerify();
    } catch (error) {
      request.log.info({ reason: error instanceof Error ? error.message : String(error) }, 'a token was refused');
      throw unauthenticated(reply, 'The bearer token is not valid.', 'invalid_token');
    }
    const scopes = typeof claims.scope === 'string' ? claims.scope.split(' ') : [];
    request.viewer = { subject: claims.sub ?? null, scopes: new Set(scopes) };
  };
  // With a callback, so that a request without a token need not wait for a promise.
  return (request: FastifyRequest, reply: FastifyReply, done: (error?: Error) => void) => {
    // Without a key no token says anything, so its bearer is as anonymous as anybody.
    if (key !== null && request.headers.authorization !== undefined) {
      verify(request, reply).then(() => done(), done);
    } else if (required) done(unauthenticated(reply, 'This server answers bearers of a token only.'));
    else done();
  };
}

function unauthenticated(reply: FastifyReply, message: string, error?: string): RequestRefused {
  reply.header('www-authenticate', error === undefined ? 'Bearer' : `Bearer error="${error}"`);
  return new RequestRefused(401, 'UNAUTHENTICATED', message);
}
