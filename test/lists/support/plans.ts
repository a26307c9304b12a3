import type { Sql } from 'postgres';
import type { Test } from 'tap';
import type { ListSource } from '../../../src/entity/list-definition.ts';
import { listReader } from '../../../src/lists/list.ts';
import type { PageQuery } from '../../../src/lists/page-request.ts';
import { type Database, openDatabase } from '../../../src/postgres/client.ts';
import { Trace } from '../../../src/trace/trace.ts';

/** A node of a plan as EXPLAIN (FORMAT JSON) writes it. */
interface Plan {
  'Node Type': string;
  'Relation Name'?: string;
  'Actual Rows': number;
  'Actual Loops': number;
  'Rows Removed by Filter'?: number;
  'Shared Hit Blocks': number;
  'Shared Read Blocks': number;
  Plans?: Plan[];
}

/** Where lists are read, and where plans are asked for. */
interface Stores {
  readonly url: string;
  readonly sql: Sql;
}

/** A database that remembers the statements it is asked to run. */
function recorder(t: Test, url: string) {
  const real = openDatabase({ url, poolSize: 1, statementTimeoutMs: 60_000 });
  t.teardown(() => real.close());
  const sent: { text: string; parameters: readonly unknown[] }[] = [];
  const query: Database['query'] = (text, parameters = []) => {
    sent.push({ text, parameters });
    return real.query(text, parameters);
  };
  return { sent, recording: { ...real, query } satisfies Database };
}

/** The plans of what a list's reader sends for some pages: with the values known, and as they are once prepared for any. */
async function plansOf(
  t: Test,
  { url, sql }: Stores,
  source: ListSource,
  requests: readonly PageQuery[],
): Promise<{ mode: string; plan: Plan }[]> {
  const { sent, recording } = recorder(t, url);
  const pages = await listReader(recording, source)(requests, new Trace());
  t.ok(
    pages.every((found, i) => found.refs.length === requests[i]?.limit),
    'every page is full',
  );
  t.equal(sent.length, 1, 'one statement');
  const [{ text, parameters } = { text: '', parameters: [] }] = sent;
  const values = parameters.map((value) => `'${value}'`).join(', ');
  const plans = [];
  await sql.unsafe(`prepare list as ${text}`);
  for (const mode of ['force_custom_plan', 'force_generic_plan']) {
    await sql.unsafe(`set plan_cache_mode = ${mode}`);
    const [row] = await sql.unsafe<{ 'QUERY PLAN': string | [{ Plan: Plan }] }[]>(
      `explain (analyze, buffers, format json) execute list (${values})`,
    );
    const explained = row?.['QUERY PLAN'] ?? '[]';
    const [root] = (typeof explained === 'string' ? JSON.parse(explained) : explained) as [{ Plan: Plan }];
    plans.push({ mode, plan: root.Plan });
  }
  await sql.unsafe('deallocate list');
  return plans;
}

function nodesOf(plan: Plan): Plan[] {
  return [plan, ...(plan.Plans ?? []).flatMap(nodesOf)];
}

/** What pages may cost. */
interface Bounds {
  /** How many rows they may read; not asked when it is left out. */
  readonly maxRows?: number;
  /** Whether Postgres may sort: a range of another column than the order's has an index, and so has the order. */
  readonly maySort?: boolean;
}

/**
 * Checks that pages are cut out by index range scans of their own length.
 *
 * @param t the test
 * @param stores where
 * @param source the list
 * @param requests the pages, which are full
 * @param maxBuffers how many buffers they may touch
 * @param bounds what else they may cost
 */
export async function checkPlans(
  t: Test,
  stores: Stores,
  source: ListSource,
  requests: readonly PageQuery[],
  maxBuffers: number,
  { maxRows = Number.POSITIVE_INFINITY, maySort = false }: Bounds = {},
): Promise<void> {
  const withBodies = requests.map((request) => ({ ...request, needs: { ...request.needs, bodies: true } }));
  const plans = [
    ...(await plansOf(t, stores, source, requests)),
    ...(await plansOf(t, stores, source, withBodies)).map(({ mode, plan }) => ({ mode: `${mode}, with bodies`, plan })),
  ];
  for (const { mode, plan } of plans) {
    const nodes = nodesOf(plan);
    const types = nodes.map((node) => `${node['Node Type']} ${node['Relation Name'] ?? ''}`.trim());
    t.notOk(
      types.some((type) => /Seq Scan|Bitmap|Hash|Materialize/.test(type) || (!maySort && /Sort/.test(type))),
      `${mode}: ${maySort ? '' : 'no sort, '}no scan of a whole table: ${types.join(' < ')}`,
    );
    const scans = nodes.filter((node) => /^Index (Only )?Scan/.test(node['Node Type']));
    t.ok(scans.length > 0, 'but an index scan');
    const buffers = plan['Shared Hit Blocks'] + plan['Shared Read Blocks'];
    t.ok(buffers < maxBuffers, `${mode}: fewer than ${maxBuffers} buffers, got ${buffers}`);
    const rows = scans.reduce(
      (sum, scan) => sum + (scan['Actual Rows'] + (scan['Rows Removed by Filter'] ?? 0)) * scan['Actual Loops'],
      0,
    );
    t.ok(rows <= maxRows, `${mode}: at most ${maxRows} rows, got ${rows}`);
  }
}
