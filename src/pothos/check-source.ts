import { checkParent, wrongDeclaration } from '../entity/check-declaration.ts';
import type { LarderContext } from '../repository/context.ts';
import type { ConnectionSource } from './connection.ts';
import type { EntityType } from './entity-type.ts';

/** What a source may answer. */
const KEYS: ReadonlySet<string> = new Set<keyof ConnectionSource>(['list', 'parent', 'order', 'direction', 'filters']);

/**
 * Checks what a function answers that chooses the list of a connection. It may have been written in JavaScript, and the compiler does not
 * see a misspelt `filters` in what a function returns: rows would be shown that the filter hides.
 *
 * @param type the listed entity's type
 * @param source what the function answers
 * @param context the request's context
 * @returns the same
 * @throws {TypeError} naming the list and what it cannot have
 */
export function checkSource(type: EntityType, source: ConnectionSource, context: LarderContext): ConnectionSource {
  const { list, parent } = source;
  const { hasParent } = type.repositoryOf(context).listOf(list);
  for (const key in source) {
    if (KEYS.has(key)) continue;
    const expected = `a source to answer ${[...KEYS].join(', ')}`;
    throw wrongDeclaration(type.listName(list), expected, key, 'lists-and-orders');
  }
  checkParent(type.listName(list), hasParent, parent);
  return source;
}
