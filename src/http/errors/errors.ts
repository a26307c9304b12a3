import { randomUUID } from 'node:crypto';
import type { FastifyBaseLogger } from 'fastify';
import { GraphQLError, type GraphQLFormattedError } from 'graphql';
import { InvalidInput } from '../../repository/context.ts';
import { publicMessage } from './public-message.ts';

/** An error as a client may see it, with the HTTP status that goes with it. */
export interface PublicError {
  readonly error: GraphQLFormattedError;
  /** `null` when the error does not decide the status. */
  readonly status: number | null;
}

const UNAVAILABLE = { code: 'UNAVAILABLE', message: 'The service is not available now. Try again.', status: 503 };

/** Errors of lower layers, by name: the code, message and status for the client, and the level for the log. */
const KNOWN: Record<string, { code: string; message: string; status: number; level: 'warn' | 'debug' }> = {
  DatabaseUnavailable: { ...UNAVAILABLE, level: 'warn' },
  // The client has hung up.
  Abandoned: { ...UNAVAILABLE, level: 'debug' },
};

/** Errors of the client before its request was read as GraphQL. They are named for hooks of other plugins, too. */
const REFUSED_BY_FASTIFY: Record<number, { code: string; message: string }> = {
  400: { code: 'BAD_REQUEST', message: 'The body is not JSON, or it names a prototype.' },
  401: { code: 'UNAUTHENTICATED', message: 'The request does not say who sends it.' },
  403: { code: 'FORBIDDEN', message: 'The request is not allowed.' },
  413: { code: 'PAYLOAD_TOO_LARGE', message: 'The body is too large.' },
  415: { code: 'UNSUPPORTED_MEDIA_TYPE', message: 'Send a body of the type application/json in UTF-8.' },
  429: { code: 'RATE_LIMITED', message: 'Too many requests. Try again later.' },
};

/** For any other reason of fastify's. */
const REFUSED = { code: 'BAD_REQUEST', message: 'The request is not one that this server answers.' };

/**
 * Turns whatever was thrown into what a client may see. An unforeseen error may carry SQL, parameters or a stack. So the client gets an id
 * in its place, and the log has the error under that id.
 *
 * @param thrown an error of fastify, graphql, mercurius or a resolver
 * @param log the request's logger
 * @returns one public error for each error inside
 */
export function publicErrors(thrown: unknown, log: FastifyBaseLogger): PublicError[] {
  const cause = thrown instanceof GraphQLError && thrown.originalError ? thrown.originalError : thrown;
  // Mercurius wraps the errors of a request in one of its own. What a resolver throws is one error, whatever is in it.
  if (!(thrown instanceof GraphQLError) && hasErrors(thrown))
    return thrown.errors.flatMap((inner) => publicErrors(inner, log));
  const place = thrown instanceof GraphQLError ? placeOf(thrown) : {};
  const known = cause instanceof Error ? KNOWN[cause.name] : undefined;
  if (cause instanceof Error && known !== undefined) {
    if (warned.get(cause) !== log) log[known.level]({ reason: cause.message }, 'a request could not be answered');
    warned.set(cause, log);
    return [{ error: { message: known.message, ...place, extensions: { code: known.code } }, status: known.status }];
  }
  if (cause instanceof GraphQLError && !isRefusedValue(thrown, cause)) {
    const extensions = { code: codeOf(cause) ?? 'BAD_USER_INPUT', ...cause.extensions };
    const message = isForClient(thrown, cause) ? cause.message : publicMessage(cause);
    return [{ error: { message, ...place, ...placeOf(cause), extensions }, status: null }];
  }
  // A resolver writes what a client gave. Elsewhere no client has given it.
  if (thrown instanceof GraphQLError && cause instanceof InvalidInput) {
    const extensions = { code: 'BAD_USER_INPUT', field: cause.field, reason: cause.reason };
    return [{ error: { message: cause.message, ...place, extensions }, status: null }];
  }
  // The status of a resolver's error says nothing about the request.
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

/**
 * Errors that were logged, each with the request's logger. One failure of a batch is thrown at each of its fields, but each request logs it
 * once.
 */
const warned = new WeakMap<Error, FastifyBaseLogger>();

const ids = new WeakMap<object, string>();

/** Logs an unforeseen error once, and gives it one id for all fields and requests. */
function errorId(cause: unknown, log: FastifyBaseLogger): string {
  const known = typeof cause === 'object' && cause !== null ? ids.get(cause) : undefined;
  if (known !== undefined) return known;
  const id = randomUUID();
  if (typeof cause === 'object' && cause !== null) ids.set(cause, id);
  log.error({ err: withoutValues(cause), errorId: id }, 'a request failed');
  return id;
}

/**
 * Classes of Postgres' errors whose messages name tables, columns and roles, but no values. A code such as 42P01 alone does not say which
 * table.
 */
const WITHOUT_VALUES = /^(0A|25|42|54|55|XX)/;

/** The driver adds the statement and its parameters to its errors, and graphql-js a value. The log gets what happened and where. */
function withoutValues(cause: unknown): unknown {
  if (!(cause instanceof Error)) return { type: typeof cause };
  if (cause instanceof GraphQLError) return withoutValue(cause);
  const code = 'code' in cause ? String(cause.code) : undefined;
  // Postgres quotes the offending value in some of its messages, and a trigger may do so in its own.
  const isSql = code !== undefined && /^[0-9A-Z]{5}$/.test(code);
  const message = !isSql
    ? cause.message
    : `Postgres answered ${code}${WITHOUT_VALUES.test(code) ? `: ${cause.message}` : ''}`;
  return { type: cause.name, message, code, stack: cause.stack?.replace(cause.message, message) };
}

/** What is said before the value by graphql-js, whose value comes last, after a colon. Scalars of others have it anywhere. */
const BEFORE_VALUE = /^.*? cannot represent(?:(?: [\w-]+)* value(?=: ))?/s;

/** What graphql-js says of a value that is no list, no object of its type, or of no possible type, up to the value. */
const WRONG_OBJECT =
  /^(?:Expected Iterable, but|Expected value of type "|Abstract type "|Runtime Object type "|Support for returning GraphQLObjectType ).*?(?= but got: | with value |$)/s;

function withoutValue({ name, message, stack }: GraphQLError) {
  const [said] = WRONG_OBJECT.exec(message) ?? BEFORE_VALUE.exec(message) ?? [''];
  return { type: name, message: said, stack: stack?.replace(message, () => said) };
}

function placeOf({ locations, path }: GraphQLError): Pick<GraphQLFormattedError, 'locations' | 'path'> {
  return { ...(locations === undefined ? {} : { locations }), ...(path === undefined ? {} : { path }) };
}

/** The code of an error. Some classes have it as a property, such as FORBIDDEN of Pothos' scope-auth. */
function codeOf(error: GraphQLError): unknown {
  return error.extensions.code ?? ('code' in error && typeof error.code === 'string' ? error.code : undefined);
}

/** Whether a resolver has written the error for the client. */
function isForClient(thrown: unknown, cause: GraphQLError): boolean {
  return thrown !== cause && cause.nodes === undefined && cause.source === undefined;
}

/** What a scalar or an enum of graphql-js says of a value. */
const REFUSED_VALUE = / cannot represent /;

/**
 * Whether the type of a field has refused what its resolver gave, which is no fault of the client's. An error that a resolver throws for the
 * client may sound alike, but has a code. What is said of an argument has its place in the document.
 */
function isRefusedValue(thrown: unknown, cause: GraphQLError): boolean {
  if (thrown === cause || codeOf(cause) !== undefined) return false;
  return WRONG_OBJECT.test(cause.message) || (isForClient(thrown, cause) && REFUSED_VALUE.test(cause.message));
}

function hasErrors(value: unknown): value is { errors: unknown[] } {
  return value instanceof Error && 'errors' in value && Array.isArray(value.errors);
}

function statusOf(value: unknown): number | null {
  const status = value instanceof Error && 'statusCode' in value ? value.statusCode : null;
  return typeof status === 'number' ? status : null;
}
