import { getIntrospectionQuery } from 'graphql';
import type { Sent } from '../http/client.ts';

const list = (length: number, part: (i: number) => string) => Array.from({ length }, (_, i) => part(i)).join(' ');

const query = (text: string, rest: object = {}): Sent => ({ body: { query: text, ...rest } });

/** A body written by hand: what `JSON.stringify` would follow by recursion. */
const bytes = (body: string): Sent => ({ body, headers: { 'content-type': 'application/json' } });

/** Fragments of which each spreads the next ones, with what the last ones hold. */
const chain = (length: number, next: (i: number) => string, rest = '') =>
  `{ ...F0 } ${list(length, (i) => `fragment F${i} on Query { ${next(i)} }`)} ${rest}`;

const deep = (levels: number, open: string, close: string, inside = '') =>
  `${open.repeat(levels)}${inside}${close.repeat(levels)}`;

const ids = 'query ($i: [ID!]!) { nodes(ids: $i) { id } }';

/**
 * Requests that look for whatever in a server takes longer than the request is long. Each must be refused or answered, and
 * quickly.
 */
export const ATTACKS: Readonly<Record<string, Sent>> = {
  'a fragment cycle': query(chain(2, (i) => `...F${(i + 1) % 2}`)),
  'a fragment cycle over fields': query(
    '{ brands { nodes { ...A } } } fragment A on Brand { campaigns { nodes { brand { ...A } } } }',
  ),
  'every fragment in every fragment': query(chain(45, () => list(45, (i) => `...F${i}`))),
  'fragments that double 2^40 times': query(
    chain(40, (i) => `...F${i + 1} ...F${i + 1}`, 'fragment F40 on Query { __typename }'),
  ),
  'fragments that double to nothing': query(chain(40, (i) => `...F${i + 1} ...F${i + 1}`)),
  'fragments that double in a cycle': query(chain(40, (i) => `...F${(i + 1) % 40} ...F${(i + 2) % 40}`)),
  'fragments beside each other': query(
    `{ ${list(199, (i) => `...F${i}`)} } ${list(199, (i) => `fragment F${i} on Query { __typename }`)}`,
  ),
  'empty fragments beside each other': query(
    `{ ${list(490, (i) => `...F${i}`)} } ${list(490, (i) => `fragment F${i} on Query { ...U }`)}`,
  ),
  'operations times fragments': query(
    `${list(300, (i) => `query Q${i} { ...F0 }`)} ${list(250, (i) => `fragment F${i} on Query { ...F${i + 1} }`)} fragment F250 on Query { __typename }`,
    { operationName: 'Q0' },
  ),
  'operations times fragments, within the limits': query(
    `${list(50, (i) => `query Q${i}($x: Int) { ...F0 }`)} ${list(400, (i) => `fragment F${i} on Query { ...F${i + 1} }`)} fragment F400 on Query { brands(first: $x) { totalCount } }`,
    { operationName: 'Q0' },
  ),
  '10,000 aliases': query(`{ ${list(10_000, (i) => `a${i}: __typename`)} }`),
  '1,600 aliases': query(`{ ${list(1600, (i) => `a${i}: __typename`)} }`),
  '10,000 directives': query(`{ __typename ${'@a'.repeat(10_000)} }`),
  '2,400 directives': query(`{ __typename ${'@a'.repeat(2400)} }`),
  '10,000 tokens': query(`{ ${'__typename '.repeat(10_000)} }`),
  '1,600 levels': query(deep(1600, '{ a ', '}')),
  '50,000 levels': query(deep(50_000, '{ a ', '}')),
  '1,200 levels of inline fragments': query(`{ ${deep(1200, '... { ', '}', '__typename')} }`),
  '2,400 levels of lists': query(`{ nodes(ids: ${deep(2400, '[', ']')}) { id } }`),
  '1,200 levels of objects': query(`{ events(orderBy: ${deep(1200, '{ field: ', '}', 'ID')}) { totalCount } }`),
  'a type of 2,000 lists': query(`query ($x: ${deep(2000, '[', ']', 'Int')}) { brands(first: $x) { totalCount } }`),
  'fields of the same name': query(`{ ${`campaigns { nodes { ${'id '.repeat(95)} } } `.repeat(20)} }`),
  'fields of the same name, deep': query(
    `{ ${'campaigns { nodes { events { nodes { campaigns { nodes { id id id id } } campaigns { nodes { id id } } } } } } '.repeat(60)} }`,
  ),
  'fields of the same name with other arguments': query(`{ ${list(99, (i) => `x: brand(id: "${i}") { id }`)} }`),
  '1,200 variables that nobody uses': query(`query (${list(1200, (i) => `$v${i}: Int`)}) { __typename }`),
  'a name of 900,000 letters in each error': query(
    `query ${'q'.repeat(900_000)} { ${list(20, (i) => `a${i}: brands(first: $a) { totalCount }`)} }`,
  ),
  'a name of a million letters': query(`{ ${'a'.repeat(1_000_000)} }`),
  'an alias of a million letters': query(`{ ${'a'.repeat(1_000_000)}: __typename }`),
  'a string of a million letters': query(`{ brand(id: "${'a'.repeat(1_000_000)}") { id } }`),
  'a block string of 1,500 lines': query(`{ brand(id: """${`\n${' '.repeat(500)}`.repeat(1500)}""") { id } }`),
  '300,000 comments': query(`${'#\n'.repeat(300_000)} { __typename }`),
  'a million commas': query(`${','.repeat(1_000_000)} { __typename }`),
  'variables 10,000 deep': bytes(`{"query":"${ids}","variables":{"i":${deep(10_000, '[', ']')}}}`),
  'objects in variables 10,000 deep': bytes(
    `{"query":"query ($o: EventOrder) { events(orderBy: $o) { totalCount } }","variables":{"o":${deep(10_000, '{"field":', '}', '1')}}}`,
  ),
  'a list of 200,000 ids': query(ids, { variables: { i: Array(200_000).fill('ab') } }),
  'a list of 9,000 ids in ninety places': query(
    `query ($i: [ID!]!) { ${list(90, (i) => `a${i}: nodes(ids: $i) { id }`)} }`,
    { variables: { i: Array(9000).fill('ab') } },
  ),
  'a list of 200,000 wrong ids': query(ids, { variables: { i: Array(200_000).fill({}) } }),
  '60,000 unknown fields': query('query ($o: EventOrder) { events(orderBy: $o) { totalCount } }', {
    variables: { o: Object.fromEntries(Array.from({ length: 60_000 }, (_, i) => [`k${i}`, i])) },
  }),
  '9,000 unknown fields': query('query ($o: EventOrder) { events(orderBy: $o) { totalCount } }', {
    variables: { o: Object.fromEntries(Array.from({ length: 9000 }, (_, i) => [`k${i}`, i])) },
  }),
  'a cursor of a million letters': query('query ($a: String) { campaigns(after: $a) { totalCount } }', {
    variables: { a: 'A'.repeat(1_000_000) },
  }),
  'an id of a million letters': query('query ($a: ID!) { node(id: $a) { id } }', {
    variables: { a: 'A'.repeat(1_000_000) },
  }),
  'a time of a million digits': query('query ($a: DateTime) { events(startsAfter: $a) { totalCount } }', {
    variables: { a: `2026-01-01T00:00:00.${'0'.repeat(1_000_000)}Z` },
  }),
  'a syntax tree as JSON': query(JSON.stringify({ kind: 'Document', definitions: [] })),
  'a syntax tree': { body: { query: { kind: 'Document', definitions: [] } } },
  'introspection times ninety': query(
    `{ __schema { ${list(90, (i) => `a${i}: types { ...F }`)} } } fragment F on __Type { fields { type { fields { name description type { name kind } args { name description } } } } }`,
  ),
  'introspection 10 levels deep': query(
    `{ __type(name: "Campaign") { ${deep(10, 'fields { type { ', '} }', 'name')} } }`,
  ),
  "graphql's own introspection": query(getIntrospectionQuery()),
  'the most expensive of many expensive fields': query(
    `query ($i: [ID!]!) { nodes(ids: $i) { ${'... on Campaign { events { nodes { campaigns { nodes { events { nodes { id } } } } } } } '.repeat(90)} } }`,
    { variables: { i: Array(2000).fill('abc') } },
  ),
  'all that is allowed': query(
    `{ ${list(9, (i) => `a${i}: brands(first: 0) { nodes { ${'name '.repeat(190)} } }`)} nodes(ids: [${'"a" '.repeat(90)}]) { id } }`,
  ),
};

/** The attacks that need no knowledge of this server. */
export const USUAL: readonly string[] = [
  ...['a fragment cycle', 'fragments that double 2^40 times', '10,000 aliases', '10,000 directives', '10,000 tokens'],
  ...['1,600 aliases', '2,400 directives', '1,600 levels'],
];

let unique = 0;

/**
 * Makes an attack that the server has not seen: remembered answers would hide how long finding them takes.
 *
 * @param name which one
 * @returns the attack with another comment at the end of its document, or white space where there is none
 * @throws when there is none of that name
 */
export function freshAttack(name: string): Sent & { readonly body: object | string } {
  const sent = ATTACKS[name];
  if (sent === undefined) throw new Error(`There is no attack called ${name}`);
  unique += 1;
  const { body } = sent;
  if (typeof body === 'string') return { ...sent, body: `${body}${' '.repeat(unique % 1000)}` };
  const { query: text, ...rest } = body as { query: unknown };
  return { ...sent, body: { query: typeof text === 'string' ? `${text}#${unique}` : text, ...rest } };
}
