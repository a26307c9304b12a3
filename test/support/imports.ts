import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, sep } from 'node:path';
import { REPOSITORY } from '../../src/cli/services/state-directory.ts';

/** Which files each file imports, by paths from the root of the repository. */
export type Imports = ReadonlyMap<string, readonly string[]>;

/**
 * @param directory a directory of the repository
 * @returns what each file in it imports, types and what is loaded later included
 */
export function importsOf(directory: string): Imports {
  const graph = new Map<string, string[]>();
  for (const name of readdirSync(join(REPOSITORY, directory), { recursive: true, encoding: 'utf8' })) {
    if (!name.endsWith('.ts')) continue;
    const file = join(directory, name);
    const text = readFileSync(join(REPOSITORY, file), 'utf8');
    const imported = [...text.matchAll(/\b(?:from|import)\s*\(?\s*'(\.{1,2}\/[^']+\.ts)'/g)];
    graph.set(
      file,
      imported.map(([, path = '']) => normalize(join(dirname(file), path))),
    );
  }
  return graph;
}

/**
 * @param graph which files import which
 * @param start a file
 * @param isWrong whether a file is one that it should not come to
 * @returns the shortest way by which it does, as text; `null` when it does not
 */
export function wayTo(graph: Imports, start: string, isWrong: (file: string) => boolean): string | null {
  const ways = [[start]];
  const seen = new Set([start]);
  for (const way of ways) {
    const last = way.at(-1) ?? '';
    if (isWrong(last)) return way.join(' > ');
    for (const next of graph.get(last) ?? []) {
      if (seen.has(next)) continue;
      seen.add(next);
      ways.push([...way, next]);
    }
  }
  return null;
}

/**
 * @param file a file of `src` or of `test`
 * @returns its room; `null` for one at the top
 */
export function roomOf(file: string): string | null {
  const [, room, ...rest] = file.split(sep);
  return rest.length === 0 ? null : (room ?? null);
}
