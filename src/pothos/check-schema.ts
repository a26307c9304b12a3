import { isDeepStrictEqual } from 'node:util';
import { type GraphQLSchema, isObjectType } from 'graphql';
import { wrongDeclaration } from '../entity/check-declaration.ts';
import type { Entity } from '../entity/definition.ts';
import type { ReferredKey } from '../entity/referred-tables.ts';
import type { FindBy } from '../repository/find-by.ts';
import type { KeysOf, Repository } from '../repository/repository.ts';

/** What a field shows of a Larder; one of its extensions. */
export interface Shown {
  readonly entity: string;
  /** The list that a connection names, and its order; absent where a function chooses the list. */
  readonly list?: string;
  readonly order?: string | undefined;
  /** The column that finds the entity, if it is not the key. */
  readonly by?: string;
  /** The field of the parent that holds the id of a reference; absent where a function gives it. */
  readonly id?: string;
}

/**
 * Checks that a schema fits a Larder. The compiler does not check that for JavaScript, nor for a Larder from elsewhere.
 *
 * @param schema a schema whose builder had Larder's plugin
 * @param repositories the Larder's repositories, by the names of their entities
 * @throws {TypeError} naming a field whose entity, list, order or column does not exist, a field whose list has a parent while its type is
 *   no entity, or another than the foreign key of the list refers to, or one whose list or reference holds no whole key
 */
export function checkSchema(schema: GraphQLSchema, repositories: Readonly<Record<string, unknown>>): void {
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type)) continue;
    const parent = type.extensions.larderEntity as string | undefined;
    for (const { name, extensions } of Object.values(type.getFields())) {
      const shown = extensions.larder as Shown | undefined;
      if (shown === undefined) continue;
      const where = `${type.name}.${name}`;
      const { entity, list, order, by, id } = shown;
      const repository = repositoryOf(where, entity, repositories);
      const { lists, listOf, foundBy } = repository;
      if (by !== undefined && !foundBy.includes(by)) {
        const expected = `a column that ${entity} is found by (${foundBy.join(', ') || 'it has none'})`;
        throw wrongDeclaration(where, expected, by, 'references');
      }
      if (id !== undefined && parent !== undefined) {
        checkReference(where, entity, keyOf(repository), id, repositoryOf(where, parent, repositories).keysOf('all'));
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
      if (parent === undefined) {
        const expected = `a field of an entity's type, since ${entity}.${list} has a parent, or a source that says which`;
        throw wrongDeclaration(where, expected, `one of ${type.name}`, 'lists-and-orders');
      }
      checkParents(where, `${entity}.${list}`, repository.keysOf(list), parent, repositories);
    }
  }
}

type AnyRepository = Repository<Entity, string> & FindBy<Entity, string>;

type Repositories = Readonly<Record<string, unknown>>;

function repositoryOf(where: string, entity: string, repositories: Repositories): AnyRepository {
  if (Object.hasOwn(repositories, entity)) return repositories[entity] as AnyRepository;
  const known = Object.keys(repositories).join(', ');
  throw wrongDeclaration(where, `an entity of the Larder (${known})`, entity, 'two-entities');
}

/** The columns of an entity's key. */
function keyOf(repository: AnyRepository): readonly string[] {
  return repository.keysOf('all').own.columns;
}

/** Checks that a field of an entity can hold an id of another. Fields of text and of other objects may hold what `compositeId` has made. */
function checkReference(where: string, entity: string, key: readonly string[], id: string, { own, texts }: KeysOf) {
  const held = id === 'id' || id === 'databaseId' ? own.columns : [id];
  if (held.length === key.length || texts.includes(id)) return;
  const expected = `the key of ${entity} (${key.join(', ')}), of several columns by a function and compositeId`;
  throw wrongDeclaration(where, expected, `${id} (${held.join(', ')})`, 'references');
}

/** Checks that the parent of a list can be an id of the entity that shows the list. With another, the page would be empty, or others' rows. */
function checkParents(
  where: string,
  list: string,
  { parent, isTextParent, parents }: KeysOf,
  entity: string,
  repositories: Repositories,
): void {
  const { own, referred, isUnwatched } = repositoryOf(where, entity, repositories).keysOf('all');
  const isReferred = (table: string) => parents.some((key) => key.table === table);
  const others = Object.keys(repositories).filter((name) =>
    isReferred(repositoryOf(where, name, repositories).keysOf('all').own.table),
  );
  const isOther = !isReferred(own.table) && !isUnwatched && !referred.some(({ table }) => isReferred(table));
  if (others.length > 0 && isOther) {
    const expected = `a field of ${others.join(' or ')}, to which the parent of ${list} refers, or a source that says which`;
    throw wrongDeclaration(where, expected, `one of ${entity}`, 'lists-and-orders');
  }
  // A foreign key may refer to other columns than the entity's key, or to these in another order.
  const keys = [own, ...referred];
  const known = parents.filter(({ table }) => keys.some((key) => key.table === table));
  const isKey = ({ table, columns }: ReferredKey) =>
    keys.some((key) => key.table === table && isDeepStrictEqual(key.columns, columns));
  const holdsId = isTextParent || parent.length === own.columns.length;
  if (holdsId && (known.length === 0 || known.some(isKey))) return;
  const to = known.map(({ columns }) => `, which refers to (${columns.join(', ')})`).join('');
  const expected = `the parent of ${list} to hold the key of ${entity} (${own.columns.join(', ')}), or a source that says which`;
  throw wrongDeclaration(where, expected, `(${parent.join(', ')})${to}`, 'lists-and-orders');
}
