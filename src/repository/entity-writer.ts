import type { Body } from '../cache/entry.ts';
import { transaction } from '../db/run.ts';
import { Trace } from '../trace/trace.ts';
import type { Repository, Storage } from './cached-repository.ts';
import { isDatabaseId } from './database-id.ts';
import type { Entity, EntityDefinition } from './entity-definition.ts';
import { InvalidInput } from './invalid-input.ts';
import { checkTexts, withConstraints } from './rules.ts';
import { createScope, identityMap, type Scope } from './scope.ts';

/**
 * Makes the writing half of a repository. A write is committed, then every process forgets the entity, then it returns:
 * whoever asks afterwards reads what was written.
 *
 * @param definition the entity
 * @param storage where its rows and bodies are
 * @returns the repository's writes
 */
export function entityWriter<E extends Entity, Lists extends string>(
  definition: EntityDefinition<E, Lists>,
  { database, cache, onInvalidationFailed }: Storage,
): Pick<Repository<E, Lists>, 'create' | 'update' | 'delete'> {
  const { name, rules } = definition;
  const ownScope = () => createScope(new Trace({ clock: database.clock }));

  const written = async (id: string, body: Body | null, scope: Scope): Promise<E | null> => {
    identityMap(scope, name).set(id, body);
    scope.hasWritten = true;
    try {
      await cache.invalidate([{ entity: name, id }], true);
    } catch (error) {
      // The row is committed, so the write has not failed: the outbox holds its id until Redis can be told.
      onInvalidationFailed(error instanceof Error ? error : new Error(String(error)));
    }
    return (body?.entity ?? null) as E | null;
  };

  return {
    create: async (values, scope = ownScope()) => {
      checkTexts(rules, values);
      const insert = definition.insertOf(fieldsGiven(values));
      const rows = await withConstraints(rules, 'write', () =>
        transaction(database, insert.name, (run) => run(insert, values), scope.trace),
      );
      const [body] = rows.map(definition.toBody);
      if (body === undefined) throw new TypeError(`${insert.name} returned no row`);
      const { id } = body.entity as E;
      await written(id, body, scope);
      return body.entity as E;
    },

    update: async (id, changes, scope = ownScope()) => {
      if (!isDatabaseId(id)) return null;
      const fields = fieldsGiven(changes);
      if (fields.length === 0) {
        throw new InvalidInput('id', 'REQUIRED', 'Expected at least one field to change beside the id.');
      }
      checkTexts(rules, changes);
      const update = definition.updateOf(fields);
      const rows = await withConstraints(rules, 'write', () =>
        transaction(database, update.name, (run) => run(update, { ...changes, id }), scope.trace),
      );
      return written(id, rows.map(definition.toBody)[0] ?? null, scope);
    },

    delete: async (id, scope = ownScope()) => {
      if (!isDatabaseId(id)) return false;
      const rows = await withConstraints(rules, 'delete', () =>
        transaction(database, definition.deleteById.name, (run) => run(definition.deleteById, { id }), scope.trace),
      );
      if (rows.length > 0) await written(id, null, scope);
      return rows.length > 0;
    },
  };
}

/** What is undefined is not given. */
function fieldsGiven(values: object): string[] {
  return Object.entries(values).flatMap(([field, value]) => (value === undefined ? [] : [field]));
}
