import { type GraphQLSchema, isObjectType } from 'graphql';
import { wrongDeclaration } from '../entity/check-declaration.ts';
import type { Entity } from '../entity/definition.ts';
import type { FindBy } from '../repository/find-by.ts';
import type { Repository } from '../repository/repository.ts';

/** What a field shows of a Larder; one of its extensions. */
export interface Shown {
  readonly entity: string;
  /** The list that a connection names, and its order; absent where a function chooses the list. */
  readonly list?: string;
  readonly order?: string | undefined;
  /** The column that finds the entity, if it is not the key. */
  readonly by?: string;
}

/**
 * Checks that a schema fits a Larder. The compiler does not check that for JavaScript, nor for a Larder from elsewhere.
 *
 * @param schema a schema whose builder had Larder's plugin
 * @param repositories the Larder's repositories, by the names of their entities
 * @throws {TypeError} naming a field whose entity, list, order or column does not exist, or a field whose list has a parent while
 *   its type is no entity, or another than the foreign key of the list refers to
 */
export function checkSchema(schema: GraphQLSchema, repositories: Readonly<Record<string, unknown>>): void {
  const known = Object.keys(repositories);
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type)) continue;
    for (const { name, extensions } of Object.values(type.getFields())) {
      const shown = extensions.larder as Shown | undefined;
      if (shown === undefined) continue;
      const where = `${type.name}.${name}`;
      const { entity, list, order, by } = shown;
      if (!known.includes(entity)) {
        throw wrongDeclaration(where, `an entity of the Larder (${known.join(', ')})`, entity, 'two-entities');
      }
      const { lists, listOf, tablesOf, foundBy } = repositories[entity] as AnyRepository;
      if (by !== undefined && !foundBy.includes(by)) {
        const expected = `a column that ${entity} is found by (${foundBy.join(', ') || 'it has none'})`;
        throw wrongDeclaration(where, expected, by, 'references');
      }
      if (list === undefined) continue;
      if (!lists.includes(list)) {
        throw wrongDeclaration(where, `a list of ${entity} (${lists.join(', ')})`, list, 'lists-and-orders');
      }
      const { hasParent, orders } = listOf(list);
      if (order !== undefined && !orders.includes(order)) {
        throw wrongDeclaration(
          where,
          `an order of ${entity}.${list} (${orders.join(', ')})`,
          order,
          'lists-and-orders',
        );
      }
      if (!hasParent) continue;
      const parent = type.extensions.larderEntity as string | undefined;
      if (parent === undefined) {
        const expected = `a field of an entity's type, since ${entity}.${list} has a parent, or a source that says which`;
        throw wrongDeclaration(where, expected, `one of ${type.name}`, 'lists-and-orders');
      }
      const referred = tablesOf(list).parents;
      const parents = parentsOf(referred, repositories);
      if (parents.length > 0 && !parents.includes(parent) && !hasKeysOf(parent, referred, repositories)) {
        const expected = `a field of ${parents.join(' or ')}, to which the parent of ${entity}.${list} refers, or a source that says which`;
        throw wrongDeclaration(where, expected, `one of ${parent}`, 'lists-and-orders');
      }
    }
  }
}

type AnyRepository = Repository<Entity, string> & FindBy<Entity, string>;

/** Whether an entity may have the keys of other tables: its own key refers to one, or it shows a view, which triggers cannot watch. */
function hasKeysOf(
  entity: string,
  tables: readonly string[],
  repositories: Readonly<Record<string, unknown>>,
): boolean {
  const { key, isUnwatched } = (repositories[entity] as AnyRepository).tablesOf('all');
  return isUnwatched || key.some((table) => tables.includes(table));
}

/** The entities whose rows are in some tables. */
function parentsOf(tables: readonly string[], repositories: Readonly<Record<string, unknown>>): readonly string[] {
  if (tables.length === 0) return [];
  return Object.entries(repositories).flatMap(([name, repository]) =>
    tables.includes((repository as AnyRepository).tablesOf('all').own) ? [name] : [],
  );
}
