import * as fc from 'fast-check';
import type { GraphQLSchema, OperationTypeNode } from 'graphql';
import type { Sent } from '../http/client.ts';
import { type ValidDocument, validDocuments } from './documents.ts';
import { anything } from './values.ts';

/** A request, and what is known of it. */
export interface FuzzRequest {
  readonly kind: 'valid' | 'nearly valid' | 'hostile';
  readonly sent: Sent;
}

const JSON_TYPE = { 'content-type': 'application/json' };

/** Sends parameters as a POST or, when that is possible, as a GET. */
const carried = (parameters: Readonly<Record<string, unknown>>, byGet: boolean, accept: string | null): Sent => {
  const headers = accept === null ? {} : { accept };
  // A character that UTF-8 has no place for cannot stand in a URL, and a longer URL is too long.
  const text = JSON.stringify(parameters);
  if (!byGet || text.length > 4000 || !text.isWellFormed())
    return { body: text, headers: { ...headers, ...JSON_TYPE } };
  const search = Object.entries(parameters).map(([key, value]) => [
    key,
    typeof value === 'string' ? value : JSON.stringify(value),
  ]);
  return { search: Object.fromEntries(search) as Record<string, string>, headers };
};

const accept = fc.constantFrom(null, 'application/json', 'application/graphql-response+json', '*/*');

const sendable = (document: fc.Arbitrary<ValidDocument>) =>
  fc.tuple(document, fc.nat({ max: 3 }), accept).map(([{ query, operationName, variables }, dice, type]) => {
    const parameters = dice === 1 ? { query, operationName, variables } : { query, variables };
    return carried(parameters, dice === 0, type);
  });

/** Words and signs of the language, to put where they do not belong. */
const TOKENS = [
  ...['{', '}', '(', ')', '[', ']', ':', '!', '$', '@', '...', '|', '&', '=', '"', '"""', '#', ',', '\\', '\uFEFF'],
  ...['query', 'mutation', 'subscription', 'fragment', 'on', 'true', 'null', '__typename', '__schema', '__type'],
  ...[
    '@skip(if: true)',
    '@include(if: $x)',
    '@deprecated',
    '...F',
    'fragment F on Query { ...F }',
    '$x',
    'id',
    'nodes',
  ],
  ...['first: 5', 'last: -1', '0', '1e400', '00', '1.', '-', '{ id }', 'on on on', '\0', '\u2028', '\uD800'],
];

/** Takes a document apart at its tokens, roughly, and breaks some. */
const brokenText = (query: string, edits: readonly [number, number, string][]): string => {
  const tokens = query.split(/(?<=[\s{}()[\]:!$"])/);
  for (const [where, how, token] of edits) {
    const at = where % tokens.length;
    const other = (where * 31) % tokens.length;
    if (how === 0) tokens.splice(at, 1);
    else if (how === 1) tokens.splice(at, 0, token);
    else if (how === 2) tokens[at] = token;
    else if (how === 3) tokens.splice(at, 0, ...tokens.slice(at, at + 4));
    else [tokens[at], tokens[other]] = [tokens[other] ?? '', tokens[at] ?? ''];
  }
  return tokens.join('');
};

const edits = fc.array(fc.tuple(fc.nat(), fc.nat({ max: 4 }), fc.constantFrom(...TOKENS)), {
  minLength: 1,
  maxLength: 3,
});

/** Valid documents with something wrong in the text, the variables or the parameters. */
const nearlyValid = (document: fc.Arbitrary<ValidDocument>): fc.Arbitrary<Sent> =>
  fc
    .tuple(document, edits, fc.nat({ max: 5 }), fc.nat(), anything, fc.boolean(), accept)
    .map(([{ query, operationName, variables }, changes, how, where, value, byGet, type]) => {
      const names = Object.keys(variables);
      if (how <= 2) return carried({ query: brokenText(query, changes), variables }, byGet, type);
      if (how === 3 && names.length > 0) {
        const name = names[where % names.length] ?? '';
        return carried({ query, variables: { ...variables, [name]: value } }, byGet, type);
      }
      const parameter = ['query', 'variables', 'operationName', 'extensions', 'documentId', 'id', 'x'][where % 7] ?? '';
      return carried({ query, operationName, variables, [parameter]: value }, byGet, type);
    });

const headerText = fc.string({ maxLength: 30 }).map((value) => value.replace(/[^\t\x20-\x7e]/g, ''));

/** Requests that owe nothing to the schema. */
const hostile: fc.Arbitrary<Sent> = fc.oneof(
  anything.map((body) => ({ body: JSON.stringify(body), headers: JSON_TYPE })),
  fc.uint8Array({ maxLength: 200 }).map((body) => ({ body, headers: JSON_TYPE })),
  fc
    .tuple(anything, headerText)
    .map(([body, type]) => ({ body: JSON.stringify(body), headers: { 'content-type': type } })),
  fc.string({ maxLength: 200 }).map((query) => ({ body: JSON.stringify({ query }), headers: JSON_TYPE })),
  fc.array(fc.constantFrom(...TOKENS), { maxLength: 40 }).map((tokens) => ({
    body: JSON.stringify({ query: tokens.join(' ') }),
    headers: JSON_TYPE,
  })),
  fc
    .tuple(fc.constantFrom('{', '[', '{ a ', '{ ... ', '"', '#', '$', '...'), fc.nat({ max: 8000 }))
    .map(([open, times]) => ({
      body: JSON.stringify({ query: open.repeat(times) }),
      headers: JSON_TYPE,
    })),
  fc
    .tuple(fc.constantFrom('PUT', 'DELETE', 'OPTIONS', 'HEAD', 'PATCH', 'TRACE'), fc.webQueryParameters())
    .map(([method, search]) => ({
      method,
      path: `/graphql?${search}`,
    })),
  fc.tuple(fc.webPath(), fc.webQueryParameters()).map(([path, search]) => ({
    // Whatever these say is right: they ask the stores.
    path: path === '/readyz' || path === '/healthz' ? '/' : `${path || '/'}?${search}`,
  })),
  fc.webQueryParameters().map((search) => ({ path: `/graphql?query=${search}` })),
  fc
    .tuple(
      fc.constantFrom(
        'accept',
        'authorization',
        'origin',
        'sec-fetch-site',
        'x-request-id',
        'traceparent',
        'x-cost',
        'x-inspect',
        'x-forwarded-for',
        'cookie',
        'range',
        'if-none-match',
        'content-encoding',
      ),
      headerText,
    )
    .map(([name, value]) => ({ body: '{"query":"{ __typename }"}', headers: { ...JSON_TYPE, [name]: value } })),
);

/**
 * Makes requests of which about half are valid, a third nearly, and the rest hostile.
 *
 * @param schema the schema
 * @param root which root the documents ask
 * @returns the requests
 */
export function requests(schema: GraphQLSchema, root: OperationTypeNode): fc.Arbitrary<FuzzRequest> {
  const documents = validDocuments(schema, root);
  const of = (kind: FuzzRequest['kind'], sent: fc.Arbitrary<Sent>) => sent.map((each) => ({ kind, sent: each }));
  return fc.oneof(
    { weight: 9, arbitrary: of('valid', sendable(documents)) },
    { weight: 7, arbitrary: of('nearly valid', nearlyValid(documents)) },
    { weight: 4, arbitrary: of('hostile', hostile) },
  );
}
