import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { REPOSITORY } from '../../src/cli/services/state-directory.ts';

/**
 * Puts text between two markers of a page.
 *
 * @param page its path in the repository
 * @param name what the markers are called
 * @param text what takes the place of what is between them
 * @throws when the page has no such markers
 */
export function updateBetween(page: string, name: string, text: string): void {
  const [begin, end] = [`<!-- ${name}: begin -->`, `<!-- ${name}: end -->`];
  const before = readFileSync(join(REPOSITORY, page), 'utf8');
  const from = before.indexOf(begin);
  const to = before.indexOf(end);
  if (from < 0 || to < from) throw new Error(`${page} has no ${begin} … ${end}.`);
  write(page, `${before.slice(0, from + begin.length)}\n\n${text}\n\n${before.slice(to)}`);
}

/**
 * Puts a table in the place of the first one below a heading, where a page has no room for markers.
 *
 * @param page its path in the repository
 * @param heading the heading's text, of the second level
 * @param lines the lines of the table
 * @throws when there is no such heading, or no table below it
 */
export function updateTable(page: string, heading: string, lines: readonly string[]): void {
  const before = readFileSync(join(REPOSITORY, page), 'utf8').split('\n');
  const at = before.indexOf(`## ${heading}`);
  const from = before.findIndex((line, i) => i > at && line.startsWith('|'));
  if (at < 0 || from < 0) throw new Error(`${page} has no table below ${heading}.`);
  const after = before.findIndex((line, i) => i > from && !line.startsWith('|'));
  write(page, [...before.slice(0, from), ...lines, ...before.slice(after)].join('\n'));
}

/**
 * Replaces the one line that begins with some words, where a page has no room for markers.
 *
 * @param page its path in the repository
 * @param words what the old line and the new one begin with
 * @param line the new line
 * @throws when there is not one such line
 */
export function updateLine(page: string, words: string, line: string): void {
  const before = readFileSync(join(REPOSITORY, page), 'utf8').split('\n');
  const [at = -1, ...more] = before.flatMap((old, i) => (old.startsWith(words) ? [i] : []));
  if (at < 0 || more.length > 0) throw new Error(`${page} has not one line that begins with "${words}".`);
  write(page, before.with(at, line).join('\n'));
}

/** Tables are aligned, as the format check wants them. */
function write(page: string, text: string): void {
  writeFileSync(join(REPOSITORY, page), text);
  execFileSync('npx', ['biome', 'format', '--write', page], { cwd: REPOSITORY, stdio: 'ignore' });
}
