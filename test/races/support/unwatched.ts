import type { Database } from '../../../src/postgres/client.ts';
import type { LarderProcess, Parts } from '../../stage/process.ts';
import type { Row } from '../../stage/rows.ts';
import { type Held, Holds, type Seam } from '../../stage/seams.ts';
import { type Stage, setStage } from '../../stage/stage.ts';
import { until } from '../../support/until.ts';
import { BROKEN } from './broken.ts';
import type { Scenario } from './scenarios.ts';

const row: Row = { entity: 'Campaign', id: '1' };

/** A stage on which nobody tells anybody of changes, and no answer may be old. */
async function deafStage(t: Parameters<Scenario>[0]): Promise<Stage> {
  const stage = await setStage(t, { maxStalenessMs: 0 });
  await stage.sql.unsafe('drop function cache_outbox_inserted, cache_outbox_updated, cache_outbox_deleted cascade');
  await stage.sql`delete from cache_outbox`;
  return stage;
}

/** Reads until caches supply the body. */
async function warm(stage: Stage, reader: LarderProcess): Promise<void> {
  await until('the body comes from a cache', async () => {
    const before = reader.counts().hits ?? 0;
    await stage.byId(reader, row.entity, [row.id]);
    return (reader.counts().hits ?? 0) > before;
  });
}

const open = (stage: Stage, parts: Parts, seam?: Seam) =>
  stage.open({ parts, unwatched: true, ...(seam === undefined ? {} : { seam }) });

/** A row is changed, deleted and made again by psql, while its body is in memory and in Redis; each time it is read at once. */
export const readAtOnce: Scenario = async (t, parts) => {
  const stage = await deafStage(t);
  const [reader, other] = [await open(stage, parts), await open(stage, parts)];
  for (const process of [reader, other]) await warm(stage, process);
  for (const change of [{ row }, { row, delete: true }, { row }]) {
    await stage.write('psql', change);
    for (const process of [reader, other]) await stage.byId(process, row.entity, [row.id, '2']);
  }
  return stage;
};

/** One request reads a row, which psql changes, and reads it again. */
export const readTwice: Scenario = async (t, parts) => {
  const stage = await deafStage(t);
  const reader = await open(stage, parts);
  const scope = reader.scope();
  await stage.byId(reader, row.entity, [row.id], scope);
  await stage.write('psql', { row });
  await stage.byId(reader, row.entity, [row.id], scope);
  return stage;
};

/** What one request reads is on its way, held at a seam, while the row is written; then another asks. */
async function overtake(stage: Stage, reader: LarderProcess, answered: Held): Promise<void> {
  const slow = stage.byId(reader, row.entity, [row.id]);
  await answered.reached();
  await stage.write('psql', { row });
  const next = stage.byId(reader, row.entity, [row.id]);
  await new Promise((resolve) => setTimeout(resolve, 20));
  answered.release();
  await Promise.all([slow, next]);
}

/** Versions that one request has asked for are on their way while the row is written; then another asks. */
export const slowVersions: Scenario = async (t, parts) => {
  const stage = await deafStage(t);
  const holds = new Holds();
  const reader = await open(stage, parts, holds.seam);
  await warm(stage, reader);
  await overtake(stage, reader, holds.next('versions answered'));
  return stage;
};

/** A body that one request reads is on its way while the row is written; another then wants it, and later ones find what was kept. */
export const slowBody: Scenario = async (t, parts) => {
  const stage = await deafStage(t);
  const holds = new Holds();
  const reader = await open(stage, parts, holds.seam);
  await overtake(stage, reader, holds.next('SELECT answered'));
  for (const process of [reader, await open(stage, parts)]) await stage.byId(process, row.entity, [row.id]);
  return stage;
};

/** A body as it was is put into Redis by a slow reader, after the row was written and read. */
export const slowFill: Scenario = async (t, parts) => {
  const stage = await deafStage(t);
  const holds = new Holds();
  const reader = await open(stage, parts, holds.seam);
  const fill = holds.next('fill');
  const slow = stage.byId(reader, row.entity, [row.id]);
  await fill.reached();
  await stage.write('psql', { row });
  const other = await open(stage, parts);
  await stage.byId(other, row.entity, [row.id]);
  fill.release();
  await slow;
  for (const process of [other, await open(stage, parts)]) await stage.byId(process, row.entity, [row.id]);
  return stage;
};

/** Lets a statement that is under way answer all who ask for the same meanwhile. */
function joined(database: Database): Database {
  const underWay = new Map<string, Promise<object[]>>();
  return {
    ...database,
    query: <Row extends object>(text: string, parameters: readonly unknown[]) => {
      const what = `${text} ${JSON.stringify(parameters)}`;
      const answer =
        underWay.get(what) ?? database.query<Row>(text, [...parameters]).finally(() => underWay.delete(what));
      underWay.set(what, answer);
      return answer as Promise<Row[]>;
    },
  };
}

/** Answers for versions once, and then again. */
function remembered(database: Database): Database {
  const answers = new Map<string, Promise<object[]>>();
  return {
    ...database,
    query: <Row extends object>(text: string, parameters: readonly unknown[]) => {
      if (!text.includes('as version from')) return database.query<Row>(text, [...parameters]);
      const what = `${text} ${JSON.stringify(parameters)}`;
      const answer = answers.get(what) ?? database.query<Row>(text, [...parameters]);
      answers.set(what, answer);
      return answer as Promise<Row[]>;
    },
  };
}

/** The protocol without one of its parts, and the race that shows it. */
export const UNWATCHED_BROKEN: Readonly<Record<string, readonly [Parts, Scenario]>> = {
  'the comparison of versions': [BROKEN['the version check'], readAtOnce],
  'the question for versions': [{ through: remembered }, readTwice],
  'a question of its own for each reading': [{ through: joined }, slowVersions],
  'the comparison with what another reading brings': [BROKEN['the version check'], slowBody],
};

/** All races. */
export const UNWATCHED: readonly Scenario[] = [readAtOnce, readTwice, slowVersions, slowBody, slowFill];
