import type { ReadBodies } from '../bodies/body-reader.ts';
import { createScope, type Scope } from '../bodies/scope.ts';
import { sharedRows } from '../bodies/shared-rows.ts';
import type { Entity } from '../entity/definition.ts';
import type { Lookup } from '../entity/lookup.ts';
import type { Ref } from '../lists/page.ts';
import type { Database } from '../postgres/client.ts';
import { arrayLiteral, run } from '../postgres/statement.ts';
import { Trace } from '../trace/trace.ts';

/** Finds entities by other columns than the key. */
export interface FindBy<E extends Entity, By extends string> {
  /** The names of these columns. */
  readonly foundBy: readonly By[];
  /**
   * Finds one entity. A statement asks Postgres for the id and version of its row. One more reads the body when no cache has it.
   *
   * @param by the name of the column in the entity's option `by`
   * @param value the value as text
   * @param scope the state of a request; a new one when it is left out
   * @returns the entity, as new as the statement's snapshot; `null` when there is none
   * @throws {TypeError} when the entity has no such column
   * @throws {DatabaseUnavailable} when Postgres does not answer in time
   */
  findBy(by: By, value: string, scope?: Scope): Promise<E | null>;
  /**
   * Finds several entities, with no more statements than for one.
   *
   * @param by the name of the column in the entity's option `by`
   * @param values the values as text
   * @param scope the state of a request; a new one when it is left out
   * @returns an entity for each value, in order; `null` where there is none
   * @throws {TypeError} when the entity has no such column
   * @throws {DatabaseUnavailable} when Postgres does not answer in time
   */
  findAllBy(by: By, values: readonly string[], scope?: Scope): Promise<(E | null)[]>;
}

/**
 * @param lookups the columns by name
 * @param database where the rows are
 * @param read reads bodies
 * @returns finds entities by these columns
 */
export function findsBy<E extends Entity, By extends string>(
  lookups: Readonly<Record<By, Lookup>>,
  database: Database,
  read: ReadBodies,
): FindBy<E, By> {
  const readers = new Map(
    Object.entries<Lookup>(lookups).map(([by, { statement, isValue, textOf }]) => {
      const refs = sharedRows<Ref>(statement.name, async (values, trace) => {
        const rows = await run(database, statement, { values: arrayLiteral(values) }, trace);
        return new Map(rows.map(({ value, id, version }) => [value, { id, version }]));
      });
      return [by, { refs, isValue, textOf }] as const;
    }),
  );
  const findAllBy: FindBy<E, By>['findAllBy'] = async (by, values, given) => {
    const reader = readers.get(by);
    if (reader === undefined)
      throw new TypeError(`Nothing is found by ${by}: expected one of ${[...readers.keys()].join(', ')}.`);
    const scope = given ?? createScope(new Trace({ clock: database.clock }));
    const texts = values.map(reader.textOf);
    const wanted = [...new Set(texts)].filter(reader.isValue);
    if (wanted.length === 0) return values.map(() => null);
    const named = await reader.refs(wanted, scope.trace);
    const refs = wanted.flatMap((value) => named.get(value) ?? []);
    const bodies = await read(refs, scope);
    const entities = new Map(refs.map(({ id }, i) => [id, (bodies[i]?.entity ?? null) as E | null]));
    return texts.map((text) => entities.get(named.get(text)?.id ?? '') ?? null);
  };
  return {
    foundBy: [...readers.keys()] as By[],
    findAllBy,
    findBy: async (by, value, scope) => (await findAllBy(by, [value], scope))[0] ?? null,
  };
}
