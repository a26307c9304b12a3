import { join, sep } from 'node:path';
import { t } from 'tap';
import { importsOf, roomOf, wayTo } from './support/imports.ts';

/** The rooms of `src`, each with those that it may import besides the files at the top that import no room. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = (() => {
  const below = ['trace'];
  const rooms: Record<string, readonly string[]> = {
    ...{ init: [], trace: [], postgres: ['trace'], cache: ['trace'] },
    migrate: ['trace', 'postgres'],
    // A project that is written knows the doors alone.
  };
  below.push('postgres', 'cache');
  for (const room of ['outbox', 'entity', 'lists', 'bodies', 'repository', 'pothos', 'http']) {
    rooms[room] = [...below];
    below.push(room);
  }
  return rooms;
})();

/** Rooms that stand on the doors of all others. */
const ABOVE = ['app', 'cli', 'commands'];

/** Rooms whose tests stand on the library of the tests: no test of theirs, and nothing that it imports, is about the campaigns. */
const GENERIC = ['trace', 'postgres', 'cache', 'outbox', 'entity', 'lists', 'bodies', 'repository', 'pothos', 'kit'];

/** Those that go by a whole server, or by the stage of the races, which are the campaigns'. */
const WHOLE = [
  ...['cache/arrangements', 'cache/bus/bus', 'cache/refusals', 'cache/shapes', 'cache/tiers', 'cache/versions'],
  ...['entity/column-values', 'outbox/copies', 'outbox/domains', 'postgres/ddl-traffic'],
].map((name) => join('test', `${name}.test.ts`));

/** A way from a file back to itself; `null` when there is none. */
function circleIn(graph: ReadonlyMap<string, readonly string[]>): readonly string[] | null {
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (file: string): readonly string[] | null => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (done.has(file)) return null;
    done.add(file);
    path.push(file);
    for (const next of graph.get(file) ?? []) {
      const circle = visit(next);
      if (circle !== null) return circle;
    }
    path.pop();
    return null;
  };
  for (const file of graph.keys()) {
    const circle = visit(file);
    if (circle !== null) return circle;
  }
  return null;
}

const source = importsOf('src');
const tests = new Map([...source, ...importsOf('test')]);

t.test('circles and ways are found', async (t) => {
  const graph = new Map([
    ['a', ['b', 'c']],
    ['b', ['c']],
    ['c', ['d']],
    ['d', ['b']],
  ]);
  t.same(circleIn(graph), ['b', 'c', 'd', 'b']);
  t.equal(circleIn(new Map([...graph, ['d', []]])), null);
  t.equal(
    wayTo(graph, 'a', (file) => file === 'd'),
    'a > c > d',
  );
  t.ok((source.get(join('src', 'index.ts'))?.length ?? 0) > 3, 'imports are read');
});

t.test('no file imports itself by way of others', async (t) => {
  t.equal(circleIn(source), null);
  t.equal(circleIn(tests), null);
});

t.test('rooms import one way', async (t) => {
  for (const [file, imported] of source) {
    const room = roomOf(file);
    if (room === null || ABOVE.includes(room)) continue;
    const allowed = MAY_IMPORT[room];
    if (allowed === undefined) {
      t.fail(`${room} is a new room: say here and in biome.json what it may import`);
      continue;
    }
    for (const other of imported) {
      // The doors that serve a Larder are told which.
      if (room === 'http' && other === join('src', 'larder-face.ts')) continue;
      const otherRoom = roomOf(other);
      if (otherRoom === room) continue;
      // A file at the top that is for all is a leaf: what puts rooms together is imported by nobody below.
      const fine =
        otherRoom === null ? wayTo(source, other, (at) => roomOf(at) !== null) === null : allowed.includes(otherRoom);
      if (!fine) t.fail(`${file} imports ${other}`);
    }
  }
  const rooms = new Map<string, string[]>();
  for (const [file, imported] of source) {
    const from = roomOf(file) ?? file;
    const to = imported.map((other) => roomOf(other) ?? other).filter((room) => room !== from);
    rooms.set(from, [...(rooms.get(from) ?? []), ...to]);
  }
  t.equal(circleIn(rooms), null, 'nor is there a circle of rooms');
});

t.test('no test of a generic room is about the campaigns', async (t) => {
  const app = join('src', 'app') + sep;
  for (const [file] of tests) {
    const isTop = /^test.[\w-]+\.test\.ts$/.test(file) && !/readme/.test(file);
    if (!file.endsWith('.test.ts') || WHOLE.includes(file)) continue;
    if (!isTop && !GENERIC.includes(roomOf(file) ?? '')) continue;
    t.equal(
      wayTo(tests, file, (other) => other.startsWith(app)),
      null,
      file,
    );
  }
});
