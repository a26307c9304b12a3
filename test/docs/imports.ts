import { importsOf, roomOf } from '../support/imports.ts';

/**
 * Which rooms of `src` import which, files at its top left aside.
 *
 * @returns the rooms that each room imports
 */
export function roomImports(): Map<string, Set<string>> {
  const rooms = new Map<string, Set<string>>();
  for (const [file, imported] of importsOf('src')) {
    const room = roomOf(file);
    if (room === null) continue;
    const others = rooms.get(room) ?? new Set();
    for (const other of imported.map(roomOf)) if (other !== null && other !== room) others.add(other);
    rooms.set(room, others);
  }
  return new Map([...rooms].sort(([a], [b]) => (a < b ? -1 : 1)));
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
