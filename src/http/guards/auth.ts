import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Clock } from '../../clock.ts';
import { reasonOf } from '../../reason-of.ts';
import { RequestRefused } from '../errors/request-refused.ts';
import { unavailable } from '../errors/send-error.ts';
import { withinTime } from './deadline.ts';
import { InvalidToken, type RequiredClaims, tokenVerifier, type VerificationKey } from './token-verifier.ts';
import type { Viewer } from './viewer.ts';

/** How bearer tokens are checked. */
export interface AuthOptions extends Partial<RequiredClaims> {
  /** The key that checks them; `null`, or left out, when there is none. Then nobody may write. */
  readonly key?: VerificationKey | null;
  /** Whether reading needs a token, too. */
  readonly required?: boolean;
}

/** A function of one's own that finds out who sent a request; it gives `null` for an anonymous reader. */
export type Identify = (request: FastifyRequest) => Viewer | null | Promise<Viewer | null>;

/** The scope that a mutation needs. */
const WRITE = 'write';

/** Checks who may read and write. */
export interface Guard {
  /** Finds out who sent a request, before the request is read. */
  readonly identify: (request: FastifyRequest, reply: FastifyReply, done: (error?: Error) => void) => void;
  /**
   * Lets a mutation run only for those who may write.
   *
   * @param request the request that carries the mutation
   * @param reply its reply, which gets the challenge
   * @throws {RequestRefused} 401 when the sender is unknown, 403 when they may not write or nobody may
   */
  readonly authorize: (request: FastifyRequest, reply: FastifyReply) => void;
}

/**
 * @param auth how bearer tokens are checked (RFC 6750), a function of one's own, or `null` to check nobody
 * @param clock the time
 * @param atMostMs how long a function of one's own may take, in milliseconds
 * @returns the guard
 */
export function createGuard(auth: AuthOptions | Identify | null, clock: Clock, atMostMs: number): Guard {
  if (auth === null) return { identify: (_request, _reply, done) => done(), authorize: () => {} };
  if (typeof auth === 'function') return { identify: identifyBy(auth, clock, atMostMs), authorize };
  const { key = null } = auth;
  if (key !== null) return { identify: identifyByToken(auth, key, clock), authorize };
  return {
    // Without a key no token can be checked, so every bearer is anonymous.
    identify: (_request, reply, done) => done(auth.required === true ? tokenMissing(reply) : undefined),
    authorize: () => {
      throw new RequestRefused(403, 'FORBIDDEN', 'Mutations are off: this server has no key to check tokens with.');
    },
  };
}

function authorize({ larderViewer: viewer }: FastifyRequest, reply: FastifyReply): void {
  if (viewer === null) throw unauthenticated(reply, 'Mutations need a bearer token.');
  if (!viewer.scopes.has(WRITE)) {
    reply.header('www-authenticate', `Bearer error="insufficient_scope", scope="${WRITE}"`);
    throw new RequestRefused(403, 'FORBIDDEN', `Mutations need a token with the scope ${WRITE}.`);
  }
}

function identifyBy(find: Identify, clock: Clock, atMostMs: number): Guard['identify'] {
  return (request, _reply, done) => {
    const found = async () => {
      // A function without types may answer `undefined` for nobody.
      const viewer = (await find(request)) ?? null;
      if (viewer !== null && !(viewer.scopes instanceof Set)) {
        throw new TypeError('auth: the function returned a viewer whose `scopes` is not a Set. See docs/fastify.md.');
      }
      request.larderViewer = viewer;
    };
    withinTime(clock, atMostMs, found()).then(() => done(), done);
  };
}

/** A bearer token as the header carries it (RFC 6750, section 2.1). */
const BEARER = /^Bearer +([\w~+/.-]+=*)$/i;

function identifyByToken(
  { required = false, audience = null, issuer = null }: AuthOptions,
  key: VerificationKey,
  clock: Clock,
): Guard['identify'] {
  const check = tokenVerifier(key, { audience, issuer }, clock);
  const view = async (request: FastifyRequest, reply: FastifyReply, header: string) => {
    const token = BEARER.exec(header)?.[1];
    try {
      if (token === undefined) throw new InvalidToken('Expected the scheme Bearer and a token.');
      const { sub, scope } = await check(token);
      const scopes = typeof scope === 'string' ? scope.split(' ') : [];
      request.larderViewer = { subject: sub ?? null, scopes: new Set(scopes) };
    } catch (error) {
      const reason = reasonOf(error);
      if (!(error instanceof InvalidToken)) {
        request.log.warn({ reason }, 'the keys that check tokens could not be read');
        throw unavailable('Tokens cannot be checked now. Try again.');
      }
      request.log.info({ reason }, 'a token was refused');
      throw unauthenticated(reply, 'The bearer token is not valid.', 'invalid_token');
    }
  };
  // A callback, so that a request without a token need not wait for a promise.
  return (request, reply, done) => {
    const { authorization } = request.headers;
    if (authorization !== undefined) view(request, reply, authorization).then(() => done(), done);
    else done(required ? tokenMissing(reply) : undefined);
  };
}

function tokenMissing(reply: FastifyReply): RequestRefused {
  return unauthenticated(reply, 'This server answers bearers of a token only.');
}

function unauthenticated(reply: FastifyReply, message: string, error?: string): RequestRefused {
  reply.header('www-authenticate', error === undefined ? 'Bearer' : `Bearer error="${error}"`);
  return new RequestRefused(401, 'UNAUTHENTICATED', message);
}
