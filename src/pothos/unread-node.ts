import { encodeGlobalId } from './global-id.ts';

/** A node whose entity has not been read: what follows from its id. */
export class UnreadNode {
  readonly id: string;
  readonly __typename: string;
  readonly databaseId: string;

  /**
   * @param typename the entity's type
   * @param id its database id
   */
  constructor(typename: string, id: string) {
    this.id = encodeGlobalId(typename, id);
    this.__typename = typename;
    this.databaseId = id;
  }
}

/** One for all: nobody sees it, and a stack for each parent would cost more than the question. */
const NOT_READ = new TypeError('The entity has not been read.');

/**
 * Asks a function about an object that may be an unread node. It shows the function only what the node has, since a column that was not
 * read would look like one without a value.
 *
 * @param parent the object
 * @param ask the function, which has no side effects
 * @returns what the function returns; `undefined` when it looked at more than the node has, so that the entity must be read
 * @throws what the function throws, except for that reason
 */
export function askUnread<P, T>(parent: P, ask: (parent: P) => T): T | undefined {
  if (!(parent instanceof UnreadNode)) return ask(parent);
  let isEnough = true;
  const look = (key?: PropertyKey) => {
    if (key !== undefined && Object.hasOwn(parent, key)) return;
    isEnough = false;
    throw NOT_READ;
  };
  const shown = new Proxy(parent, {
    get: (node, key) => {
      look(key);
      return Reflect.get(node, key);
    },
    has: (_node, key) => {
      look(key);
      return true;
    },
    getOwnPropertyDescriptor: (node, key) => {
      look(key);
      return Reflect.getOwnPropertyDescriptor(node, key);
    },
    ownKeys: () => {
      look();
      return [];
    },
  });
  try {
    const answer = ask(shown);
    // The function may have caught the error.
    return isEnough ? answer : undefined;
  } catch (error) {
    if (isEnough) throw error;
    return undefined;
  }
}
