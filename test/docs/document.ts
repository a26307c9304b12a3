import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { REPOSITORY } from '../../src/cli/services/state-directory.ts';

/** A fenced block of a page. */
export interface Block {
  readonly language: string;
  readonly text: string;
  /** The words before it that say where it belongs, and the file that they name; `null` when they do not. */
  readonly place: { readonly how: 'At the end of' | 'In a new file' | 'In'; readonly file: string } | null;
  /** The test that an HTML comment right before it names: `<!-- run by test/x.test.ts -->`; `null` when none is named. */
  readonly runBy: string | null;
}

const PLACE = /(At the end of|In a new file|In)(?: the new file)? `([^`]+)`/g;
const RUN_BY = /<!-- run by (\S+) -->\s*$/;

/** README and every page of docs, as paths in the repository. */
export const PAGES: readonly string[] = [
  'README.md',
  ...readdirSync(join(REPOSITORY, 'docs'))
    .filter((file) => file.endsWith('.md'))
    .map((file) => `docs/${file}`),
];

/**
 * @param page one of `PAGES`
 * @returns its text
 */
export function pageText(page: string): string {
  return readFileSync(join(REPOSITORY, page), 'utf8');
}

/**
 * One section of a page.
 *
 * @param page one of `PAGES`
 * @param title its heading, of the second level
 * @returns its text
 * @throws when there is none
 */
export function section(page: string, title: string): string {
  const text = pageText(page)
    .split(/^## /m)
    .find((part) => part.startsWith(`${title}\n`));
  if (text === undefined) throw new Error(`${page} has no section "${title}".`);
  return text;
}

/**
 * The fenced blocks of a text, with the indentation of the list that they are in taken away.
 *
 * @param markdown the text
 * @returns the blocks in order
 */
export function blocks(markdown: string): Block[] {
  const found: Block[] = [];
  let read = 0;
  for (const match of markdown.matchAll(/^( *)```(\w*)\n([\s\S]*?)^ *```$/gm)) {
    const [all, indent = '', language = '', text = ''] = match;
    const before = markdown.slice(read, match.index);
    const [, how, file] = [...before.matchAll(PLACE)].at(-1) ?? [];
    read = match.index + all.length;
    found.push({
      language,
      text: text.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
      place: how === undefined || file === undefined ? null : { how: how as 'In', file },
      runBy: RUN_BY.exec(before)?.[1] ?? null,
    });
  }
  return found;
}

/**
 * The anchors that GitHub gives the headings of a page.
 *
 * @param markdown the page
 * @returns an anchor for each heading
 */
export function anchors(markdown: string): Set<string> {
  const prose = markdown.replaceAll(/^ *```[\s\S]*?^ *```$/gm, '');
  const headings = [...prose.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => heading);
  return new Set(
    headings.map((heading) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}

/**
 * The commands of a shell block, without comments, each on one line.
 *
 * @param block the block
 * @returns the commands in order
 */
export function commands({ text }: Block): string[] {
  return text
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')
    .map((line) => line.replace(/\s+# .*$/, '').trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
}

/**
 * Applies a diff of which every hunk is some lines that are there and then some that come after them.
 *
 * @param text the file
 * @param diff the hunks, parted by `@@`
 * @returns the changed file
 * @throws when the lines are not there, or more than once
 */
export function applyDiff(text: string, diff: string): string {
  return diff.split(/^@@\n/m).reduce((changed, hunk) => {
    const lines = hunk.split('\n').filter((line) => line !== '');
    const context = lines.filter((line) => line.startsWith(' ')).map((line) => `${line.slice(1)}\n`);
    const added = lines.filter((line) => line.startsWith('+')).map((line) => `${line.slice(1)}\n`);
    const parts = changed.split(context.join(''));
    if (parts.length !== 2)
      throw new Error(`Expected these lines once, found them ${parts.length - 1} times:\n${hunk}`);
    return parts.join(context.join('') + added.join(''));
  }, text);
}

/**
 * The lines that a reader types: those of a diff that it adds, and no empty ones.
 *
 * @param block a block of code
 * @returns how many
 */
export function typedLines({ language, text }: Block): number {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  return language === 'diff' ? lines.filter((line) => line.startsWith('+')).length : lines.length;
}
