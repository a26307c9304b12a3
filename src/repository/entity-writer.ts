import { createScope, identityMap, type Scope } from '../bodies/scope.ts';
import type { LoadedBody } from '../cache/entry.ts';
import type { Entity, EntityDefinition } from '../entity/definition.ts';
import type { EntityRow } from '../entity/entity-row.ts';
import { InvalidInput } from '../entity/invalid-input.ts';
import { valuesToInsert, valuesToUpdate } from '../entity/made-values.ts';
import { checkTexts, withConstraints } from '../entity/rules.ts';
import type { Statement } from '../postgres/statement.ts';
import { Trace } from '../trace/trace.ts';
import type { Repository } from './repository.ts';
import type { Storage } from './storage.ts';
import { write } from './write.ts';

/**
 * Makes the writing half of a repository. A write commits, then every process forgets what it changed, and then it returns. So later reads
 * see what was written.
 *
 * @param definition the entity
 * @param storage where its rows and bodies are
 * @returns the repository's writes
 */
export function entityWriter<E extends Entity, Lists extends string>(
  definition: EntityDefinition<E, Lists>,
  storage: Storage,
): Pick<Repository<E, Lists>, 'create' | 'update' | 'delete'> {
  const {
    name,
    table,
    rules,
    unwatched = false,
    key: { isId },
  } = definition;
  const ownScope = () => createScope(new Trace(storage.database));

  /** Does the write. When it returns, every read sees what was written. */
  const written = async (
    statement: Statement<EntityRow>,
    values: Record<string, unknown>,
    scope: Scope,
    given: string | null,
  ): Promise<E | null> => {
    const { rows, forget, changedAgain } = await withConstraints(rules, 'write', () =>
      write(storage, statement, values, scope),
    );
    let body: LoadedBody | null;
    try {
      body = rows.map(definition.toBody)[0] ?? null;
      if (body === null && given === null) throw new TypeError(`${statement.name} returned no row`);
    } catch (error) {
      // It is committed, and a trigger may have changed other rows in its place.
      await forget(...(given === null ? [] : [{ entity: name, id: given }]));
      throw error;
    }
    const id = (body?.entity as E | undefined)?.id ?? (given as string);
    scope.hasWritten = true;
    // The write may have changed the key.
    const moved = given !== null && given !== id ? [{ entity: name, id: given }] : [];
    for (const before of moved) identityMap(scope, name).set(before.id, null);
    // A trigger of an unwatched table may have changed the row again, in the same version.
    if (unwatched) identityMap(scope, name).delete(id);
    else if (!changedAgain(name, id)) identityMap(scope, name).set(id, body);
    await forget({ entity: name, id }, ...moved);
    return (body?.entity ?? null) as E | null;
  };

  return {
    create: async (values, scope = ownScope()) => {
      const given = valuesToInsert(table, values);
      checkTexts(rules, given);
      return (await written(definition.insertOf(given), given, scope, null)) as E;
    },

    update: async (id, changes, scope = ownScope()) => {
      if (!isId(id)) return null;
      if (Object.values(changes).every((value) => value === undefined)) {
        throw new InvalidInput('id', 'REQUIRED', 'Expected at least one field to change beside the id.');
      }
      const given = valuesToUpdate(table, changes);
      checkTexts(rules, given);
      return written(definition.updateOf(given), { ...given, ...definition.valuesOfId(id) }, scope, id);
    },

    delete: async (id, scope = ownScope()) => {
      if (!isId(id)) return false;
      const { rows, forget } = await withConstraints(rules, 'delete', () =>
        write(storage, definition.deleteById, definition.valuesOfId(id), scope),
      );
      if (rows.length === 0) {
        // A trigger may have changed other rows in its place.
        await forget();
        return false;
      }
      scope.hasWritten = true;
      identityMap(scope, name).set(id, null);
      await forget({ entity: name, id });
      return true;
    },
  };
}
