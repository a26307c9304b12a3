import type { Entity } from '../repository/entity-definition.ts';
import type { Page, PageItem } from '../repository/page.ts';
import { encodeCursor } from './cursor.ts';

/** A page as the fields of a connection type read it. Cursors are written when they are read: most are not. */
export class Connection<E extends Entity> {
  readonly edges: readonly Edge<E>[];
  readonly totalCount: number | null;
  readonly pageInfo: PageInfo<E>;

  /**
   * @param page the page
   * @param list the list's name, which its cursors hold
   * @param order the list's order, likewise
   */
  constructor(page: Page<E>, list: string, order: string) {
    this.edges = page.items.map((item) => new Edge(item, list, order));
    this.totalCount = page.total;
    this.pageInfo = new PageInfo(page, this.edges);
  }
}

class Edge<E extends Entity> {
  readonly #item: PageItem<E>;
  readonly #list: string;
  readonly #order: string;
  readonly node: E;

  constructor(item: PageItem<E>, list: string, order: string) {
    this.#item = item;
    this.#list = list;
    this.#order = order;
    // An id and a type name are all that is asked of a node that was not read.
    this.node = item.entity ?? ({ id: item.id } as E);
  }

  get cursor(): string | null {
    const { position } = this.#item;
    return position === null ? null : encodeCursor(this.#list, this.#order, position);
  }
}

class PageInfo<E extends Entity> {
  readonly hasNextPage: boolean;
  readonly hasPreviousPage: boolean;
  readonly #edges: readonly Edge<E>[];

  constructor(page: Page<E>, edges: readonly Edge<E>[]) {
    this.hasNextPage = page.hasNext;
    this.hasPreviousPage = page.hasPrevious;
    this.#edges = edges;
  }

  get startCursor(): string | null {
    return this.#edges[0]?.cursor ?? null;
  }

  get endCursor(): string | null {
    return this.#edges.at(-1)?.cursor ?? null;
  }
}
