import type { FastifyRequest } from 'fastify';
import { RequestRefused } from '../errors/request-refused.ts';
import { parseJson } from '../json-body.ts';
import { DOCUMENT_ID } from './document-id.ts';

/** The parameters of a request (GraphQL over HTTP specification, section 5.1). */
export interface Parameters {
  /** The document's text; `null` when the client named a document instead. */
  readonly query: string | null;
  /** The name of a trusted document; `null` when the client sent its text. */
  readonly documentId: string | null;
  /** Whether the document was named in the way of Apollo's clients. They send its text when it is not known. */
  readonly apollo: boolean;
  readonly operationName: string | null;
  readonly variables: Readonly<Record<string, unknown>>;
}

/**
 * Reads the parameters of a request, from the body of a POST or otherwise from the query string. Nothing is coerced: a wrong type is
 * refused.
 *
 * @param request the request
 * @returns the parameters, with either `query` or `documentId`
 * @throws {RequestRefused} 400 naming the wrong parameter
 */
export function readParameters(request: FastifyRequest): Parameters {
  const raw = request.method === 'POST' ? request.body : fromQueryString(request);
  if (!isMap(raw)) throw malformed('Expected a JSON object with a query.');
  const { query, operationName, variables, extensions } = raw;
  if (query != null && typeof query !== 'string') throw malformed('Expected query to be a string.');
  if (operationName != null && typeof operationName !== 'string') {
    throw malformed('Expected operationName to be a string or null.');
  }
  if (variables != null && !isMap(variables)) throw malformed('Expected variables to be an object or null.');
  if (extensions != null && !isMap(extensions)) throw malformed('Expected extensions to be an object or null.');
  const named = documentIdOf(raw);
  const hash = named === null ? apolloHashOf(extensions ?? {}) : null;
  if (named === null && hash === null && (query ?? '') === '') throw malformed('Expected a query or a documentId.');
  return {
    // Layers that know only an id send an empty text beside it.
    query: query === '' ? null : (query ?? null),
    documentId: named ?? hash,
    apollo: hash !== null,
    operationName: operationName ?? null,
    variables: variables ?? {},
  };
}

/** A trusted document's name, in the forms of the specification's appendix and of Relay. */
function documentIdOf({ documentId, doc_id, id, query }: Record<string, unknown>): string | null {
  const named = doc_id ?? id ?? null;
  // Relay's older network layers send an id beside each text: the operation's name, or its MD5.
  const meant = (query ?? '') === '' || (typeof named === 'string' && DOCUMENT_ID.test(named));
  const name = documentId ?? (meant ? named : null);
  if (name !== null && typeof name !== 'string') throw malformed('Expected documentId to be a string.');
  return name;
}

/** A trusted document's name in Apollo's form. */
function apolloHashOf({ persistedQuery }: Record<string, unknown>): string | null {
  if (persistedQuery == null) return null;
  if (!isMap(persistedQuery) || typeof persistedQuery.sha256Hash !== 'string') {
    throw malformed('Expected extensions.persistedQuery to have a sha256Hash.');
  }
  return `sha256:${persistedQuery.sha256Hash}`;
}

/** In a query string, objects are JSON text. */
function fromQueryString(request: FastifyRequest): unknown {
  const raw = request.query;
  if (!isMap(raw)) return raw;
  const parse = (name: string) => {
    const text = raw[name];
    if (text === undefined || text === '') return undefined;
    if (typeof text !== 'string') throw malformed(`Expected ${name} once.`);
    try {
      return parseJson(request, text);
    } catch {
      throw malformed(`Expected ${name} to be JSON that names no prototype.`);
    }
  };
  // A query string has no null, so an empty parameter counts as absent (section 5.2).
  const operationName = raw.operationName === '' ? null : raw.operationName;
  return { ...raw, operationName, variables: parse('variables'), extensions: parse('extensions') };
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function malformed(message: string): RequestRefused {
  return new RequestRefused(400, 'BAD_REQUEST', message);
}
