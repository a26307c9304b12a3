import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { REPOSITORY } from '../../src/cli/services/state-directory.ts';

const SRC = join(REPOSITORY, 'src');

/** What a file imports or re-exports from a file beside it, types included, by whatever form of statement. */
const IMPORT = /(?:from|import)\s*\(?\s*'(\.[^']+)'/g;

/**
 * Which rooms of `src` import which, files at its root left aside.
 *
 * @returns the rooms that each room imports
 */
export function roomImports(): Map<string, Set<string>> {
  const rooms = readdirSync(SRC).filter((name) => statSync(join(SRC, name)).isDirectory());
  return new Map(rooms.sort().map((room) => [room, importsOf(room, rooms)]));
}

function importsOf(room: string, rooms: readonly string[]): Set<string> {
  const files = readdirSync(join(SRC, room), { encoding: 'utf8', recursive: true });
  const imported = files
    .filter((file) => file.endsWith('.ts'))
    .flatMap((name) => {
      const file = join(SRC, room, name);
      return [...readFileSync(file, 'utf8').matchAll(IMPORT)].map(([, path = '']) => join(dirname(file), path));
    });
  const others = imported.map((file) => relative(SRC, file).split(sep)[0] ?? '').filter((name) => name !== room);
  return new Set(others.filter((name) => rooms.includes(name)));
}

/**
 * Draws imports as a Mermaid diagram, without the arrows that follow from others.
 *
 * @param imports the rooms that each room imports, without circles
 * @returns the fenced block
 * @throws when there is a circle, naming its rooms
 */
export function drawImports(imports: ReadonlyMap<string, ReadonlySet<string>>): string {
  const below = new Map<string, Set<string>>();
  const reach = (room: string, path: readonly string[]): Set<string> => {
    if (path.includes(room)) throw new Error(`A circle of imports: ${[...path, room].join(' -> ')}.`);
    let all = below.get(room);
    if (all === undefined) {
      const direct = [...(imports.get(room) ?? [])];
      all = new Set(direct.flatMap((next) => [next, ...reach(next, [...path, room])]));
      below.set(room, all);
    }
    return all;
  };
  const arrows = [...imports].flatMap(([room, direct]) => {
    reach(room, []);
    const follows = (other: string) => [...direct].some((next) => next !== other && below.get(next)?.has(other));
    return [...direct]
      .filter((other) => !follows(other))
      .sort()
      .map((other) => `  ${room} --> ${other}`);
  });
  return ['```mermaid', 'flowchart TD', ...arrows, '```'].join('\n');
}
