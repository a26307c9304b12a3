/** Entries on a page when the client does not say. */
export const DEFAULT_PAGE_SIZE = 20;

/** Entries on a page at most. */
export const MAX_PAGE_SIZE = 100;

/**
 * @param args a connection's arguments
 * @returns how many entries it may bring
 */
export function pageSizeOf(args: { first?: unknown; last?: unknown }): number {
  const size = args.first ?? args.last ?? DEFAULT_PAGE_SIZE;
  return typeof size === 'number' ? Math.max(size, 0) : DEFAULT_PAGE_SIZE;
}
