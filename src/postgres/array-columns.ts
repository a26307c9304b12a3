import { parseArray, type TextArray } from './array-text.ts';
import { elementReader } from './value-text.ts';

const NUMBERS = {
  ...{ boolean: 1000, bytea: 1001, smallint: 1005, integer: 1007, bigint: 1016, real: 1021, 'double precision': 1022 },
  ...{ oid: 1028, regclass: 2210, regtype: 2211, json: 199, jsonb: 3807, text: 1009, varchar: 1015, bpchar: 1014 },
  ...{
    name: 1003,
    uuid: 2951,
    xml: 143,
    time: 1183,
    timetz: 1270,
    interval: 1187,
    money: 791,
    bit: 1561,
    varbit: 1563,
  },
  ...{ inet: 1041, cidr: 651, macaddr: 1040, macaddr8: 775, point: 1017, line: 629, tsvector: 3643, int4range: 3905 },
  ...{ int8range: 3927, numrange: 3907, tsrange: 3909, tstzrange: 3911, daterange: 3913 },
};

/**
 * The types of the elements of Postgres' own arrays, by the arrays' numbers, which are the same in every database. Arrays of `date`,
 * `timestamp`, `timestamptz` and `numeric` are not among them: Drizzle has its driver leave these as text.
 */
export const ELEMENTS: ReadonlyMap<number, string> = new Map(
  Object.entries(NUMBERS).map(([type, number]) => [number, type]),
);

/**
 * Makes arrays of the texts that Larder's connections have for them, as the driver does by itself elsewhere.
 *
 * @param rows rows of the driver, which are changed
 * @param columns what the driver says of their columns
 * @param asLists whether each row is a list of its values, instead of an object
 * @throws {TypeError} when a text is no array
 */
export function readArrays(
  rows: readonly object[],
  columns: readonly { readonly name: string; readonly type: number }[],
  asLists: boolean,
): void {
  // Of columns of one name, the row has the last.
  const types = new Map(columns.map(({ name, type }, i) => [asLists ? i : name, ELEMENTS.get(type)]));
  for (const [place, type] of types) {
    if (type === undefined) continue;
    const read = elementReader(type);
    for (const row of rows) {
      const value: unknown = Reflect.get(row, place);
      if (typeof value === 'string') Reflect.set(row, place, elements(parseArray(value), read));
    }
  }
}

function elements(items: TextArray, read: (text: string) => unknown): unknown[] {
  return items.map((item) => (item === null ? null : typeof item === 'string' ? read(item) : elements(item, read)));
}
