import { randomUUID } from 'node:crypto';
import type { FastifyBaseLogger } from 'fastify';
import { GraphQLError, type GraphQLFormattedError } from 'graphql';
import { publicMessage } from './public-message.ts';

/** An error as a client may see it, with the HTTP status it asks for. */
export interface PublicError {
  readonly error: GraphQLFormattedError;
  /** `null` when the error has no say in the status. */
  readonly status: number | null;
}

const UNAVAILABLE = { code: 'UNAVAILABLE', message: 'The service is not available now. Try again.', status: 503 };

/** Errors that a layer below throws by name: what a client is told, the status, and how loudly the log is told. */
const KNOWN: Record<string, { code: string; message: string; status: number; level: 'warn' | 'debug' }> = {
  DatabaseUnavailable: { ...UNAVAILABLE, level: 'warn' },
  // The client has hung up.
  Abandoned: { ...UNAVAILABLE, level: 'debug' },
};

/** What a client may have done wrong before anything of its request was read as GraphQL, also as hooks of others see it. */
const REFUSED_BY_FASTIFY: Record<number, { code: string; message: string }> = {
  400: { code: 'BAD_REQUEST', message: 'The body is not JSON, or it names a prototype.' },
  401: { code: 'UNAUTHENTICATED', message: 'The request does not say who sends it.' },
  403: { code: 'FORBIDDEN', message: 'The request is not allowed.' },
  413: { code: 'PAYLOAD_TOO_LARGE', message: 'The body is too large.' },
  415: { code: 'UNSUPPORTED_MEDIA_TYPE', message: 'Send a body of the type application/json in UTF-8.' },
  429: { code: 'RATE_LIMITED', message: 'Too many requests. Try again later.' },
};

/** Any other reason that fastify has. */
const REFUSED = { code: 'BAD_REQUEST', message: 'The request is not one that this server answers.' };

/**
 * Turns whatever was thrown into what a client may see. An error that nobody foresaw may carry SQL, parameters or a
 * stack, so a client gets an id of it instead, and the log has the rest under that id.
 *
 * @param thrown what fastify, graphql, mercurius or a resolver threw
 * @param log the request's logger
 * @returns one public error for each error inside
 */
export function publicErrors(thrown: unknown, log: FastifyBaseLogger): PublicError[] {
  const cause = thrown instanceof GraphQLError && thrown.originalError ? thrown.originalError : thrown;
  // Mercurius hides the errors of a request in one of its own.
  if (hasErrors(cause)) return cause.errors.flatMap((inner) => publicErrors(inner, log));
  const place = thrown instanceof GraphQLError ? placeOf(thrown) : {};
  const known = cause instanceof Error ? KNOWN[cause.name] : undefined;
  if (cause instanceof Error && known !== undefined) {
    if (warned.get(cause) !== log) log[known.level]({ reason: cause.message }, 'a request could not be answered');
    warned.set(cause, log);
    return [{ error: { message: known.message, ...place, extensions: { code: known.code } }, status: known.status }];
  }
  if (cause instanceof GraphQLError) {
    const extensions = { code: 'BAD_USER_INPUT', ...cause.extensions };
    return [{ error: { message: publicMessage(cause), ...place, ...placeOf(cause), extensions }, status: null }];
  }
  // What a resolver throws says nothing of the request, whatever status it names.
  const status = thrown instanceof GraphQLError ? null : statusOf(cause);
  if (status === 503)
    return [{ error: { message: UNAVAILABLE.message, extensions: { code: UNAVAILABLE.code } }, status }];
  if (status !== null && status < 500) {
    const { code, message } = REFUSED_BY_FASTIFY[status] ?? REFUSED;
    return [{ error: { message, extensions: { code } }, status }];
  }
  const message = 'Something went wrong on our side. The log has it under the errorId.';
  const extensions = { code: 'INTERNAL_SERVER_ERROR', errorId: errorId(cause, log) };
  return [{ error: { message, ...place, extensions }, status: 500 }];
}

/** One failure of a batch is thrown at each of its fields; each request that it fails logs it once. */
const warned = new WeakMap<Error, FastifyBaseLogger>();

const ids = new WeakMap<object, string>();

/** Likewise, but one that nobody foresaw has one id for all. */
function errorId(cause: unknown, log: FastifyBaseLogger): string {
  const known = typeof cause === 'object' && cause !== null ? ids.get(cause) : undefined;
  if (known !== undefined) return known;
  const id = randomUUID();
  if (typeof cause === 'object' && cause !== null) ids.set(cause, id);
  log.error({ err: withoutValues(cause), errorId: id }, 'a request failed');
  return id;
}

/** Classes of Postgres' errors whose messages name tables, columns, roles and no values: 42P01 alone does not say which table. */
const WITHOUT_VALUES = /^(0A|25|42|54|55|XX)/;

/** The driver hangs the statement and its parameters on its errors; the log gets what happened and where. */
function withoutValues(cause: unknown): unknown {
  if (!(cause instanceof Error)) return { type: typeof cause };
  const code = 'code' in cause ? String(cause.code) : undefined;
  // Postgres quotes the offending value in some of its messages, and a trigger may in any of its own.
  const isSql = code !== undefined && /^[0-9A-Z]{5}$/.test(code);
  const message = !isSql
    ? cause.message
    : `Postgres answered ${code}${WITHOUT_VALUES.test(code) ? `: ${cause.message}` : ''}`;
  return { type: cause.name, message, code, stack: cause.stack?.replace(cause.message, message) };
}

function placeOf({ locations, path }: GraphQLError): Pick<GraphQLFormattedError, 'locations' | 'path'> {
  return { ...(locations === undefined ? {} : { locations }), ...(path === undefined ? {} : { path }) };
}

function hasErrors(value: unknown): value is { errors: unknown[] } {
  return value instanceof Error && 'errors' in value && Array.isArray(value.errors);
}

function statusOf(value: unknown): number | null {
  const status = value instanceof Error && 'statusCode' in value ? value.statusCode : null;
  return typeof status === 'number' ? status : null;
}
