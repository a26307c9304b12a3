import type { FastifyRequest } from 'fastify';
import { RequestRefused } from './request-refused.ts';

/** What a client asks for (GraphQL over HTTP specification, section 5.1). */
export interface Parameters {
  /** The document's text; `null` when the client named a document instead. */
  readonly query: string | null;
  /** The name of a trusted document; `null` when the client sent its text. */
  readonly documentId: string | null;
  readonly operationName: string | null;
  readonly variables: Readonly<Record<string, unknown>>;
}

/**
 * Reads the parameters of a request, by GET or POST. Nothing is coerced: what has the wrong type is refused.
 *
 * @param request the request
 * @returns the parameters, of which either `query` or `documentId` is given
 * @throws {RequestRefused} 400 naming the parameter that is wrong
 */
export function readParameters(request: FastifyRequest): Parameters {
  const raw = request.method === 'GET' ? fromQueryString(request.query) : request.body;
  if (!isMap(raw)) throw malformed('Expected a JSON object with a query.');
  const { query, operationName, variables, extensions } = raw;
  if (query != null && typeof query !== 'string') throw malformed('Expected query to be a string.');
  if (operationName != null && typeof operationName !== 'string') {
    throw malformed('Expected operationName to be a string or null.');
  }
  if (variables != null && !isMap(variables)) throw malformed('Expected variables to be an object or null.');
  if (extensions != null && !isMap(extensions)) throw malformed('Expected extensions to be an object or null.');
  const documentId = documentIdOf(raw, extensions ?? {});
  if (documentId === null && (query ?? '') === '') throw malformed('Expected a query or a documentId.');
  return { query: query ?? null, documentId, operationName: operationName ?? null, variables: variables ?? {} };
}

/** A trusted document's name in the forms of the specification's appendix, of Relay and of Apollo. */
function documentIdOf(raw: Record<string, unknown>, extensions: Record<string, unknown>): string | null {
  const id = raw.documentId ?? raw.doc_id ?? raw.id;
  if (id != null && typeof id !== 'string') throw malformed('Expected documentId to be a string.');
  if (id != null) return id;
  const { persistedQuery } = extensions;
  if (persistedQuery == null) return null;
  if (!isMap(persistedQuery) || typeof persistedQuery.sha256Hash !== 'string') {
    throw malformed('Expected extensions.persistedQuery to have a sha256Hash.');
  }
  return `sha256:${persistedQuery.sha256Hash}`;
}

/** In a query string the objects are JSON text. */
function fromQueryString(raw: unknown): unknown {
  if (!isMap(raw)) return raw;
  const parse = (name: string) => {
    const text = raw[name];
    if (text === undefined || text === '') return undefined;
    if (typeof text !== 'string') throw malformed(`Expected ${name} once.`);
    try {
      return JSON.parse(text) as unknown;
    } catch (error) {
      if (error instanceof SyntaxError) throw malformed(`Expected ${name} to be JSON.`);
      throw error;
    }
  };
  return { ...raw, variables: parse('variables'), extensions: parse('extensions') };
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function malformed(message: string): RequestRefused {
  return new RequestRefused(400, 'BAD_REQUEST', message);
}
