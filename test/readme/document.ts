import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { REPOSITORY } from '../../src/cli/services/state-directory.ts';

/** A fenced block of README.md. */
export interface Block {
  readonly language: string;
  readonly text: string;
  /** The words before it that say where it belongs, and the file that they name; `null` when they do not. */
  readonly place: { readonly how: 'At the end of' | 'In a new file' | 'In'; readonly file: string } | null;
}

const README = readFileSync(join(REPOSITORY, 'README.md'), 'utf8');
const PLACE = /(At the end of|In a new file|In)(?: the new file)? `([^`]+)`/g;

/**
 * One section of README.md.
 *
 * @param title its heading
 * @returns its text
 * @throws when there is none
 */
export function section(title: string): string {
  const text = README.split(/^## /m).find((part) => part.startsWith(`${title}\n`));
  if (text === undefined) throw new Error(`README.md has no section "${title}".`);
  return text;
}

/** @returns the whole of README.md */
export function wholeText(): string {
  return README;
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
    });
  }
  return found;
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
