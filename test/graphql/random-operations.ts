import type { GeneratorValue } from 'fast-check';
import fc from 'fast-check';
import {
  type GraphQLNamedType,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isCompositeType,
  isObjectType,
} from 'graphql';
import { globalId } from '../support/data.ts';

/** An operation and the variables that a client sends with it. */
export interface RandomOperation {
  readonly query: string;
  readonly variables: Readonly<Record<string, unknown>>;
}

/** How deep selections go, how many of a selection there are at most, how many fragments have names, and how much there is in all. */
const DEPTH = 5;
const BREADTH = 4;
const FRAGMENTS = 4;
const SELECTIONS = 30;

/** Variables that a document may declare, the values that a client may send for them, and whether it may leave them out. */
const VARIABLES: Readonly<Record<string, { type: string; values: readonly unknown[]; optional: boolean }>> = {
  a: { type: 'Boolean!', values: [true, false], optional: false },
  b: { type: 'Boolean! = true', values: [true, false], optional: true },
  toString: { type: 'Boolean = false', values: [true, false], optional: true },
  first: { type: 'Int', values: [0, 1, 2, null], optional: true },
  constructor: { type: 'Int = 2', values: [1, 3, null], optional: true },
  order: {
    type: 'EventOrder',
    values: [{ field: 'ID' }, { field: 'STARTS_AT', direction: 'DESC' }, null],
    optional: true,
  },
  by: { type: 'EventOrder = {field: ID}', values: [{ field: 'STARTS_AT' }], optional: true },
  direction: { type: 'OrderDirection! = DESC', values: ['ASC', 'DESC'], optional: true },
  after: { type: 'DateTime', values: ['2026-01-01T01:00:00.000003+01:00', null], optional: true },
  id: { type: 'ID!', values: [globalId('Campaign', 1), globalId('Event', 2), 'none'], optional: false },
  ids: { type: '[ID!]! = []', values: [[globalId('Brand', 1), 'none'], globalId('Event', 3)], optional: true },
  name: { type: 'String = "Default"', values: ['Given', 'Other'], optional: true },
};

/** Fields that are asked for: a mutation's answer must be the same each time that it is run, and so has no new id in it. */
const WRITES = [
  (v: Vary) =>
    `updateBrand(input: {id: "${globalId('Brand', 1)}", name: ${v.text()}}) {brand {name ${v.more('Brand')}}}`,
  (v: Vary) =>
    `updateEvent(input: {id: "${globalId('Event', 1)}", title: ${v.text()}}) {event {title ${v.more('Event')}}}`,
  (v: Vary) =>
    `createBrand(input: {name: "written", clientMutationId: ${v.mark()}}) {clientMutationId brand {name __typename}}`,
];

interface Vary {
  readonly text: () => string;
  readonly mark: () => string;
  readonly more: (type: string) => string;
}

/**
 * Makes up an operation with conditions, fragments, fields that merge, aliases and variables.
 *
 * @param g where choices come from
 * @param schema the schema
 * @returns the operation; it may be invalid where fields of one key are of different shapes
 */
export function randomOperation(g: GeneratorValue, schema: GraphQLSchema): RandomOperation {
  let left = SELECTIONS;
  const named = new Map<string, { on: string; body: string }>();
  const args = new Map<string, string>();
  const among = <T>(values: readonly T[]): T => values[g(fc.nat, { max: values.length - 1 })] as T;
  const chance = (percent: number) => g(fc.nat, { max: 99 }) < percent;
  const variable = (name: string): string => `$${name}`;
  const condition = (): string => {
    if (!chance(25)) return '';
    const value = () => (chance(90) ? variable(among(['a', 'b', 'toString'])) : among(['true', 'false']));
    const [one, other] = [` @skip(if: ${value()})`, ` @include(if: ${value()})`];
    return chance(20) ? one + other : chance(50) ? one : other;
  };
  const argument: Readonly<Record<string, () => string>> = {
    first: () => among(['1', '2', '3', variable('first'), variable('constructor')]),
    last: () => '2',
    orderBy: () =>
      among([
        variable('order'),
        variable('by'),
        '{field: ID}',
        `{field: STARTS_AT, direction: ${variable('direction')}}`,
      ]),
    startsAfter: () => among([variable('after'), '"2026-01-01T00:00:00Z"']),
    id: () => among([variable('id'), `"${globalId('Campaign', 2)}"`, `"${globalId('Brand', 1)}"`]),
    ids: () => among([variable('ids'), `[${variable('id')}, "${globalId('Event', 1)}"]`, '[]']),
    campaign: () => variable('id'),
  };
  const argumentsOf = (key: string, type: GraphQLNamedType, name: string): string => {
    const place = `${type.name} ${key} ${name}`;
    const known = args.get(place);
    if (known !== undefined) return known;
    const field = isObjectType(type) ? type.getFields()[name] : undefined;
    const chosen = (field?.args ?? []).flatMap((arg) => {
      const needed = ['id', 'ids', 'first'].includes(arg.name);
      const value = argument[arg.name];
      if (value === undefined || arg.name === 'last' || !(needed || chance(30))) return [];
      return [`${arg.name}: ${value()}`];
    });
    const text = chosen.length === 0 ? '' : `(${chosen.join(', ')})`;
    args.set(place, text);
    return text;
  };
  const field = (type: GraphQLNamedType, depth: number): string => {
    if (chance(8)) return `${chance(30) ? 'kind: ' : ''}__typename${condition()}`;
    const fields =
      isObjectType(type) || isAbstractType(type) ? Object.values('getFields' in type ? type.getFields() : {}) : [];
    const open = fields.filter((each) => depth > 0 || !isCompositeType(getNamedType(each.type)));
    if (open.length === 0) return '__typename';
    const picked = among(open);
    const alias = chance(20) ? `${among(['x', 'y_z'])}_${picked.name}` : null;
    const inner = getNamedType(picked.type);
    const head = `${alias === null ? '' : `${alias}: `}${picked.name}${argumentsOf(alias ?? picked.name, type, picked.name)}`;
    return `${head}${condition()}${isCompositeType(inner) ? ` ${selection(inner, depth - 1)}` : ''}`;
  };
  const selection = (type: GraphQLNamedType, depth: number): string => {
    const some = Array.from({ length: 1 + g(fc.nat, { max: BREADTH - 1 }) }, () => {
      left -= 1;
      if (left < 0) return '__typename';
      if (isAbstractType(type) && chance(60)) {
        const concrete = among(schema.getPossibleTypes(type));
        return `... on ${concrete.name}${condition()} ${selection(concrete, depth)}`;
      }
      if (chance(15)) return `...${chance(50) ? ` on ${type.name}` : ''}${condition()} ${selection(type, depth)}`;
      if (chance(25)) return `...${fragment(type, depth)}${condition()}`;
      return field(type, depth);
    });
    return `{${some.join(' ')}}`;
  };
  const fragment = (type: GraphQLNamedType, depth: number): string => {
    const fitting = [...named].filter(([, { on, body }]) => on === type.name && body !== '').map(([name]) => name);
    if (fitting.length > 0 && (named.size >= FRAGMENTS || chance(60))) return among(fitting);
    const name = `F${named.size}`;
    named.set(name, { on: type.name, body: '' });
    named.set(name, { on: type.name, body: selection(type, depth - 1) });
    return name;
  };
  const named_ = (name: string): GraphQLNamedType => schema.getType(name) as GraphQLNamedType;
  const writes = (): string => {
    const text = () => among([variable('name'), '"Literal"']);
    const mark = () => among([variable('id'), '"mark"']);
    const more = (type: string) => selection(named_(type), 2).slice(1, -1);
    const one = (i: number) => `w${i}: ${among(WRITES)({ text, mark, more })}`;
    const plain = Array.from({ length: 1 + g(fc.nat, { max: 2 }) }, (_, i) => one(i));
    named.set('Writes', { on: 'Mutation', body: `{${plain.join(' ')}}` });
    return `{...Writes${condition()} ...Writes${condition()} ${one(9)} ... ${condition()} {__typename}}`;
  };
  const isMutation = chance(20);
  const body = isMutation ? writes() : selection(named_('Query'), DEPTH);
  const text = (name: string): string => {
    const { on, body: inside } = named.get(name) ?? { on: '', body: '' };
    return `fragment ${name} on ${on} ${inside}`;
  };
  const reached = new Set<string>();
  const follow = (from: string): void => {
    for (const [, name = ''] of from.matchAll(/\.\.\.(\w+)/g)) {
      if (name === 'on' || reached.has(name)) continue;
      reached.add(name);
      follow(text(name));
    }
  };
  follow(body);
  const operation = [body, ...[...reached].map(text)].join('\n');
  const used = new Set([...operation.matchAll(/\$(\w+)/g)].map(([, name = '']) => name));
  const definitions = [...used].map((name) => `$${name}: ${VARIABLES[name]?.type}`).join(', ');
  const variables: Record<string, unknown> = {};
  for (const name of used) {
    const { values, optional } = VARIABLES[name] ?? { values: [], optional: true };
    if (!optional || chance(60)) variables[name] = among(values);
  }
  const head = `${isMutation ? 'mutation' : 'query'} Random${definitions === '' ? '' : ` (${definitions})`}`;
  return { query: `${head} ${operation}`, variables };
}
