import { type EntityName, tableOf } from './rows.ts';
import type { Stage } from './stage.ts';

/** What a key of an entity holds. */
interface Body {
  readonly epoch: string;
  readonly version: string | null;
  readonly entity: Readonly<Record<string, string>> | null;
}

/**
 * Checks that every body in Redis that would be used says what its row does, now that all is drained: by id those of this
 * run of Redis, through a list those of the row's version.
 *
 * @param stage the stage
 * @param among the keys to look at; all when it is not given
 * @returns how many bodies could be used
 */
export async function checkBodies({ keys, sql, history }: Stage, among?: readonly string[]): Promise<number> {
  const names = among ?? (await keys.keys('*')).filter((name) => /^(Brand|Campaign|Event)-\d+$/.test(name));
  if (names.length === 0) return 0;
  const rows = new Map<string, { version: string; mark: string }>();
  for (const entity of ['Brand', 'Campaign', 'Event'] satisfies EntityName[]) {
    const found = await sql<{ id: string; version: string; mark: string }[]>`
      select id::text as id, xmin::text as version, ${sql(entity === 'Brand' ? 'name' : 'title')} as mark
      from ${sql(tableOf(entity))}`;
    for (const row of found) rows.set(`${entity}-${row.id}`, row);
  }
  const [epoch, ...values] = await keys.mget('larder:heartbeat', ...names);
  let usable = 0;
  for (const [i, name] of names.entries()) {
    const text = values[i];
    if (text == null || text.startsWith('~')) continue;
    const body = JSON.parse(text) as Body;
    const row = rows.get(name);
    const sameVersion = body.version !== null && body.version === row?.version;
    if (body.epoch !== epoch && !sameVersion) continue;
    usable += 1;
    const mark = body.entity?.title ?? body.entity?.name ?? null;
    if (mark !== (row?.mark ?? null)) {
      history.violation(
        `Redis holds ${mark} for ${name} when all is drained, but its row holds ${row?.mark ?? 'nothing'}`,
      );
    }
  }
  return usable;
}
