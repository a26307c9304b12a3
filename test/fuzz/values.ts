import * as fc from 'fast-check';
import { type GraphQLInputType, isEnumType, isInputObjectType, isListType, isNonNullType } from 'graphql';

/** A value in both ways in which a client can send it. */
export interface Value {
  /** As it stands in a document. */
  readonly literal: string;
  /** As it stands in variables. */
  readonly json: unknown;
}

/** A document has no place for half a surrogate pair, but JSON has. */
const scalar = (json: string | number | boolean | null): Value => ({
  literal: JSON.stringify(typeof json === 'string' ? json.toWellFormed() : json),
  json,
});

const list = (items: readonly Value[]): Value => ({
  literal: `[${items.map(({ literal }) => literal).join(', ')}]`,
  json: items.map(({ json }) => json),
});

const object = (fields: Readonly<Record<string, Value>>): Value => ({
  literal: `{ ${Object.entries(fields)
    .map(([name, { literal }]) => `${name}: ${literal}`)
    .join(', ')} }`,
  json: Object.fromEntries(Object.entries(fields).map(([name, { json }]) => [name, json])),
});

const global = (type: string, id: unknown) => Buffer.from(`${type}:${String(id)}`).toString('base64');

/** Texts that have broken other servers. */
const NASTY = [
  ...['', ' ', '\0', '\uD800', '\uFFFD', '\u202E', 'e\u0301', '\u{1F468}\u200D\u{1F469}', '\r\n', '\\', '"', "'", '`'],
  ...["' or 1=1 --", '$1', '#{1}', '{{1}}', '%s%n', '../../etc/passwd', '__proto__', 'constructor', 'null', 'NaN'],
  ...['-0', '1e3', '0x10', '9223372036854775808', '99999999999999999999', 'a'.repeat(3000), '<script>'],
];

const text = fc.oneof(
  { weight: 3, arbitrary: fc.string({ maxLength: 12 }) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 8 }) },
  { weight: 2, arbitrary: fc.constantFrom(...NASTY) },
);

/** JSON of any shape. */
export const anything: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(null, true, false, 0, -1, 1.5, 1e308, 2 ** 31, 2 ** 53, '', [], {}, [[]], [null]),
  text,
  fc.jsonValue({ maxDepth: 3 }),
);

/**
 * Makes values of the input types of a schema, which are of the right type, and some of which mean something.
 *
 * @param types the names of the types that ids may name
 * @returns finds the values of a type
 */
export function valuesOf(types: readonly string[]): (type: GraphQLInputType) => fc.Arbitrary<Value> {
  const typename = fc.constantFrom(...types, 'Nope');
  const id = fc.oneof(
    { weight: 4, arbitrary: fc.tuple(typename, fc.nat({ max: 40 })).map(([type, n]) => global(type, n)) },
    { weight: 1, arbitrary: fc.tuple(typename, text).map(([type, n]) => global(type, n)) },
    { weight: 1, arbitrary: text },
  );
  const cursor = fc
    .tuple(typename, fc.constantFrom('all', 'x'), fc.constantFrom('ID', 'STARTS_AT'), fc.oneof(fc.nat(), text))
    .map(([type, name, order, n]) => JSON.stringify([`${type}.${name}`, order, null, String(n)]))
    .map((json) => Buffer.from(json).toString('base64'));
  const time = fc.oneof(
    fc
      .integer({ min: Date.UTC(1900, 0), max: Date.UTC(2100, 0) })
      .map((ms) => new Date(ms).toISOString().replace('Z', '+01:30')),
    fc.constantFrom('2026-01-01T00:00:00.000001Z', '0001-01-01T00:00:00-00:00', '9999-12-31T23:59:59.999999Z'),
  );
  const scalars: Record<string, fc.Arbitrary<Value>> = {
    ID: id.map(scalar),
    String: fc.oneof(text, cursor).map(scalar),
    Int: fc.oneof({ weight: 8, arbitrary: fc.nat({ max: 4 }) }, fc.constantFrom(-1, 100, 101, 2 ** 31 - 1)).map(scalar),
    Float: fc.double({ noNaN: true, noDefaultInfinity: true }).map(scalar),
    Boolean: fc.boolean().map(scalar),
    DateTime: time.map(scalar),
  };
  const values = (type: GraphQLInputType): fc.Arbitrary<Value> => {
    if (isNonNullType(type)) return required(type.ofType);
    return fc.oneof({ weight: 9, arbitrary: required(type) }, { weight: 1, arbitrary: fc.constant(scalar(null)) });
  };
  const required = (type: GraphQLInputType): fc.Arbitrary<Value> => {
    if (isNonNullType(type)) return required(type.ofType);
    if (isListType(type)) return fc.array(values(type.ofType), { maxLength: 5 }).map(list);
    if (isEnumType(type)) {
      return fc.constantFrom(...type.getValues()).map(({ name }) => ({ literal: name, json: name }));
    }
    if (isInputObjectType(type)) {
      const fields = Object.values(type.getFields());
      const needed = fields.filter((field) => isNonNullType(field.type) && field.defaultValue === undefined);
      const all = Object.fromEntries(fields.map((field) => [field.name, values(field.type)]));
      return fc.record(all, { requiredKeys: needed.map(({ name }) => name) }).map((given) => {
        const present = Object.entries(given).filter(([, value]) => value !== undefined);
        return object(Object.fromEntries(present));
      });
    }
    return scalars[type.name] ?? text.map(scalar);
  };
  return values;
}
