import { randomUUID } from 'node:crypto';
import type { FastifyBaseLogger } from 'fastify';
import { GraphQLError, type GraphQLFormattedError } from 'graphql';
import { RequestRefused } from './request-refused.ts';

/** An error as a client may see it, with the HTTP status it asks for. */
export interface PublicError {
  readonly error: GraphQLFormattedError;
  /** `null` when the error has no say in the status. */
  readonly status: number | null;
}

/** Errors that a layer below throws by name: what a client is told, and the status. */
const KNOWN: Record<string, { code: string; message: string; status: number }> = {
  DatabaseUnavailable: { code: 'UNAVAILABLE', message: 'The service is not available now. Try again.', status: 503 },
};

/**
 * Turns whatever was thrown into what a client may see. An error that nobody foresaw may carry SQL, parameters or a
 * stack, so a client gets an id of it instead, and the log has the rest under that id.
 *
 * @param thrown what graphql, mercurius or a resolver threw
 * @param log the request's logger
 * @returns one public error for each error inside
 */
export function publicErrors(thrown: unknown, log: FastifyBaseLogger): PublicError[] {
  const cause = thrown instanceof GraphQLError && thrown.originalError ? thrown.originalError : thrown;
  // Mercurius hides the errors of parsing and validation in one of its own.
  if (hasErrors(cause)) return cause.errors.flatMap((inner) => requestError(inner, log));
  const place = thrown instanceof GraphQLError ? placeOf(thrown) : {};
  const known = cause instanceof Error ? KNOWN[cause.name] : undefined;
  if (known !== undefined) {
    log.warn({ err: cause }, 'a request could not be answered');
    return [{ error: { message: known.message, ...place, extensions: { code: known.code } }, status: known.status }];
  }
  if (cause instanceof GraphQLError) {
    const extensions = { code: 'BAD_USER_INPUT', ...cause.extensions };
    return [{ error: { message: cause.message, ...place, ...placeOf(cause), extensions }, status: null }];
  }
  if (cause instanceof RequestRefused) {
    return [{ error: { message: cause.message, extensions: { code: cause.code } }, status: cause.statusCode }];
  }
  const status = statusOf(cause);
  if (status !== null && status < 500 && cause instanceof Error) {
    return [{ error: { message: cause.message, extensions: { code: 'BAD_REQUEST' } }, status }];
  }
  const id = errorId(cause, log);
  const message = 'Something went wrong on our side. The log has it under the errorId.';
  return [{ error: { message, ...place, extensions: { code: 'INTERNAL_SERVER_ERROR', errorId: id } }, status: 500 }];
}

/** An error that stopped the request before anything was executed. */
function requestError(thrown: unknown, log: FastifyBaseLogger): PublicError[] {
  if (!(thrown instanceof GraphQLError)) {
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    log.info({ reason: message }, 'a request was refused');
    return [{ error: { message, extensions: { code: 'BAD_REQUEST' } }, status: 400 }];
  }
  const code = thrown.message.startsWith('Syntax Error') ? 'GRAPHQL_PARSE_FAILED' : 'GRAPHQL_VALIDATION_FAILED';
  const extensions = { code, ...thrown.extensions };
  return [{ error: { message: thrown.message, ...placeOf(thrown), extensions }, status: 400 }];
}

const ids = new WeakMap<object, string>();

/** One failure of a batch is thrown at each of its fields; it is logged once. */
function errorId(cause: unknown, log: FastifyBaseLogger): string {
  const known = typeof cause === 'object' && cause !== null ? ids.get(cause) : undefined;
  if (known !== undefined) return known;
  const id = randomUUID();
  if (typeof cause === 'object' && cause !== null) ids.set(cause, id);
  log.error({ err: cause, errorId: id }, 'a request failed');
  return id;
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
