import type { FastifyReply, FastifyRequest } from 'fastify';
import plugin from 'fastify-plugin';
import type { Clock } from '../../clock.ts';
import { RequestRefused } from '../errors/request-refused.ts';
import { unavailable } from '../errors/send-error.ts';
import { InvalidToken, type RequiredClaims, tokenVerifier, type VerificationKey } from './token-verifier.ts';

/** How bearer tokens are checked. */
export interface AuthOptions extends RequiredClaims {
  /** `null` when none is configured, and then nobody may write. */
  readonly key: VerificationKey | null;
  /** Whether reading needs a token too. */
  readonly required: boolean;
}

/** Who sent a request. */
export interface Viewer {
  /** The token's `sub`; `null` when it has none. */
  readonly subject: string | null;
  readonly scopes: ReadonlySet<string>;
}

/** The scope that a mutation needs. */
const WRITE = 'write';

declare module 'fastify' {
  interface FastifyRequest {
    /** Who sent it; `null` for an anonymous reader. */
    viewer: Viewer | null;
  }
}

/** Checks bearer tokens (RFC 6750) and what they allow. */
export const authPlugin = plugin<{ auth: AuthOptions; clock: Clock }>(
  async (app, { auth, clock }) => {
    app.decorateRequest('viewer', null);
    const identified = identify(auth, clock);
    app.addHook('onRoute', (route) => {
      if (route.url === '/graphql') route.preValidation = [identified, ...[route.preValidation ?? []].flat()];
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

/** A bearer token as the header carries it (RFC 6750, section 2.1). */
const BEARER = /^Bearer +([\w~+/.-]+=*)$/i;

function identify({ key, required, audience, issuer }: AuthOptions, clock: Clock) {
  const verify = key === null ? null : tokenVerifier(key, { audience, issuer }, clock);
  const view = async (
    request: FastifyRequest,
    reply: FastifyReply,
    header: string,
    check: NonNullable<typeof verify>,
  ) => {
    const token = BEARER.exec(header)?.[1];
    try {
      if (token === undefined) throw new InvalidToken('Expected the scheme Bearer and a token.');
      const { sub, scope } = await check(token);
      const scopes = typeof scope === 'string' ? scope.split(' ') : [];
      request.viewer = { subject: sub ?? null, scopes: new Set(scopes) };
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (!(error instanceof InvalidToken)) {
        request.log.warn({ reason }, 'the keys that tokens are checked with could not be had');
        throw unavailable('Tokens cannot be checked now. Try again.');
      }
      request.log.info({ reason }, 'a token was refused');
      throw unauthenticated(reply, 'The bearer token is not valid.', 'invalid_token');
    }
  };
  // With a callback, so that a request without a token need not wait for a promise.
  return (request: FastifyRequest, reply: FastifyReply, done: (error?: Error) => void) => {
    const { authorization } = request.headers;
    // Without a key no token says anything, so its bearer is as anonymous as anybody.
    if (verify !== null && authorization !== undefined) {
      view(request, reply, authorization, verify).then(() => done(), done);
    } else if (required) done(unauthenticated(reply, 'This server answers bearers of a token only.'));
    else done();
  };
}

function unauthenticated(reply: FastifyReply, message: string, error?: string): RequestRefused {
  reply.header('www-authenticate', error === undefined ? 'Bearer' : `Bearer error="${error}"`);
  return new RequestRefused(401, 'UNAUTHENTICATED', message);
}
