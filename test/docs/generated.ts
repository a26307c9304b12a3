import { alertTable } from './alerts.ts';
import { pageText } from './document.ts';
import { drawImports, roomImports } from './imports.ts';

/** What is made from other files: the page, the name between the marks, and its text. */
const PARTS = [
  { page: 'docs/architecture.md', name: 'imports', make: () => drawImports(roomImports()) },
  { page: 'docs/operations.md', name: 'alerts', make: alertTable },
] as const;

/**
 * Makes the generated parts of pages anew.
 *
 * @returns each page that has one, as it is and as it should be
 * @throws when a page has no marks for its part
 */
export function generated(): { page: string; now: string; wanted: string }[] {
  return PARTS.map(({ page, name, make }) => {
    const now = pageText(page);
    const [begin, end] = [`<!-- ${name}: begin -->\n`, `<!-- ${name}: end -->`];
    const [before, rest = ''] = now.split(begin);
    const [, after] = rest.split(end);
    if (before === undefined || after === undefined) throw new Error(`${page} has no part ${name}.`);
    return { page, now, wanted: `${before}${begin}\n${make()}\n\n${end}${after}` };
  });
}
