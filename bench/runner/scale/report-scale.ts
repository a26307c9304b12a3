import { table } from '../report.ts';
import {
  CONNECTIONS,
  type Costs,
  LOADS,
  limitsOf,
  type Need,
  needOf,
  PLANNED,
  POSTGRES_CONNECTIONS,
  POSTGRES_CORES,
  WRITES,
} from './limits.ts';
import { type Cost, type Scale, WRITERS } from './measure-scale.ts';

const ms = (value: number) => value.toFixed(3);
const rate = (value: number) => Math.round(value).toLocaleString('en-US');
/** Two digits that count. */
const about = (value: number) => (Number.isFinite(value) ? rate(Number(value.toPrecision(2))) : 'never');
const COST_HEAD = ['requests/s', 'server', 'Postgres', 'Redis'];
const costCells = (cost: Cost) => [rate(cost.perSecond), ms(cost.server), ms(cost.postgres), ms(cost.redis)];

/**
 * Writes what scaling gives as Markdown: what was measured, and what follows for other loads.
 *
 * @param scale what was measured
 * @returns the text
 */
export function reportScale(scale: Scale): string {
  const { cores, connections, servers, lone, byId, nodes, replicas, writes } = scale;
  const [alone] = servers;
  const [oneNode] = nodes;
  if (alone === undefined || oneNode === undefined) throw new Error('One server and one node are measured.');
  // What a page finds in Redis instead of in memory costs the most: whoever has more data than memory plans with that.
  const costs: Costs = { read: oneNode, write: writes };
  const errors = [...servers, ...nodes, ...replicas, lone, byId, writes].reduce((sum, one) => sum + one.errors, 0);
  return [
    `CPU time is in ms a request. ${connections} connections ask, ${WRITERS} write; ${errors} errors. Servers, load generator, Postgres and Redis share the ${cores} cores of the machine. So the rates are those of the machine, and the costs are what counts.`,
    '',
    ...table(
      ['random pages', ...COST_HEAD],
      [
        ...servers.map((one) => [`${one.servers} ${one.servers === 1 ? 'server' : 'servers'}`, ...costCells(one)]),
        ['1 server, 1 connection', ...costCells(lone)],
      ],
    ),
    '',
    ...table(
      ['another request, on 1 server', ...COST_HEAD],
      [
        ['an entity by id', ...costCells(byId)],
        [
          `a write, of which ${(servers.at(-1)?.servers ?? 1) - 1} others hear for ${ms(writes.listener)} each`,
          ...costCells(writes),
        ],
      ],
    ),
    '',
    ...table(
      ['random pages, each body from Redis', ...COST_HEAD, 'commands a node', 'ms a node'],
      nodes.map((one) => [
        `${one.nodes.length} ${one.nodes.length === 1 ? 'node' : 'nodes'}`,
        ...costCells(one),
        one.nodes.map(({ commands }) => commands.toFixed(2)).join(', '),
        one.nodes.map((node) => ms(node.ms)).join(', '),
      ]),
    ),
    '',
    ...table(
      ['random pages', 'requests/s', 'server', 'primary', 'replicas together'],
      replicas.map((one) => [
        `${one.replicas} replicas of Postgres`,
        rate(one.perSecond),
        ms(one.server),
        ms(one.postgres),
        ms(one.replica),
      ]),
    ),
    '',
    `The rest is calculated. A core is planned to be busy for ${PLANNED * 100} %, which is ${1000 * PLANNED} ms in a second. A read costs what a random page does whose bodies come from Redis: server ${ms(oneNode.server)}, Postgres ${ms(oneNode.postgres)}, Redis ${ms(oneNode.redis)}. A write costs what stands above. Each process hears of each write. That was measured at ${rate(writes.perSecond)} writes a second. It costs less where one message has more of them.`,
    '',
    ...WRITES.flatMap((share) => [
      share === 0 ? 'Reads alone:' : `${share} of 100 requests write:`,
      '',
      ...needTable(costs, share),
      '',
      'What is used up, in this order:',
      '',
      ...limitsOf(costs, share).map(
        ({ what, load, next }) => `- at ${about(load)} requests a second ${what}. Then: ${next}.`,
      ),
      '',
    ]),
    `Without a pooler, Postgres sees ${CONNECTIONS} connections of each process, which is the default. Its limits are taken to be ${POSTGRES_CONNECTIONS} connections and ${POSTGRES_CORES} cores.`,
  ].join('\n');
}

/** What README's line begins with. */
export const SCALE_LINE = 'To grow:';

/**
 * Says in a line what servers, nodes and replicas give.
 *
 * @param scale what was measured
 * @returns the line for README
 */
export function scaleLine({ cores, servers, nodes, replicas }: Scale): string {
  const each = <T>(counts: readonly T[], say: (one: T) => string) => counts.map(say).join(', ');
  return [
    `${SCALE_LINE} add servers, nodes of Redis and replicas of Postgres. [docs/scaling.md](docs/scaling.md) says what each gives, up to a million requests a second (\`make bench SCALE=1\`).`,
    `Random pages a second: ${each(servers, (one) => `${rate(one.perSecond)} with ${one.servers}`)} servers. They share ${cores} cores with all else here: more servers need more cores.`,
    `CPU of a page, in ms: ${each(nodes, (one) => `${ms(Math.max(...one.nodes.map((node) => node.ms)))} on each of ${one.nodes.length}`)} nodes of Redis. On the primary of Postgres: ${each(replicas, (one) => `${ms(one.postgres)} with ${one.replicas}`)} replicas.`,
  ].join(' ');
}

function needTable(costs: Costs, writes: number): string[] {
  const row = (need: Need) => [
    rate(need.load),
    about(need.processes),
    String(need.nodes),
    need.postgres.toFixed(1),
    need.primary.toFixed(1),
    about(need.connections),
  ];
  return table(
    ['requests/s', 'processes', 'nodes of Redis', 'cores of Postgres', 'of which for writes', 'connections'],
    LOADS.map((load) => row(needOf(costs, load, writes))),
  );
}
