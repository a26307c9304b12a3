import { Counter, Histogram, type Registry } from 'prom-client';
import type { Channels } from '../../../trace/channels.ts';
import type { Gauges } from './gauges.ts';

/** Buckets up to the default of STATEMENT_TIMEOUT_MS. */
const SQL_SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];
/** Buckets up to the time after which a command counts as failed. */
const REDIS_SECONDS = [0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1];

/**
 * Registers what Postgres and Redis were asked. There are as many series as the code has statements and commands, the latter for each node
 * of a cluster. Those of a node end when it has left: where nodes come and go there would be ever more.
 *
 * @param registry where the metrics go
 * @param channels report statements and round trips
 * @param breakerOpen names the nodes that there are
 * @returns ends the subscriptions
 */
export function registerStoreMetrics(
  registry: Registry,
  channels: Pick<Channels, 'sql' | 'redis'>,
  breakerOpen: Gauges['breakerOpen'],
): () => void {
  const registers = [registry];
  const sqlDuration = new Histogram({
    name: 'larder_sql_duration_seconds',
    help: 'How long statements took from being sent to their last row, by name.',
    labelNames: ['statement'],
    buckets: SQL_SECONDS,
    registers,
  });
  const sqlRows = new Counter({
    name: 'larder_sql_rows_total',
    help: 'Rows that statements brought, by the name of the statement.',
    labelNames: ['statement'],
    registers,
  });
  const sqlErrors = new Counter({
    name: 'larder_sql_errors_total',
    help: 'Statements that Postgres refused or did not answer, by name.',
    labelNames: ['statement'],
    registers,
  });
  /** The commands that were counted, by node. */
  const commands = new Map<string, Set<string>>();
  const collect = () => {
    const nodes = breakerOpen();
    for (const [node, counted] of commands) {
      if (nodes instanceof Map && nodes.has(node)) continue;
      commands.delete(node);
      for (const command of counted) {
        redisDuration.remove({ command, node });
        redisErrors.remove({ command, node });
      }
    }
  };
  const redisDuration: Histogram<string> = new Histogram({
    name: 'larder_redis_duration_seconds',
    help: 'How long round trips to Redis took, by the command that they were about and the node of a cluster.',
    labelNames: ['command', 'node'],
    buckets: REDIS_SECONDS,
    registers,
    collect,
  });
  const redisErrors: Counter<string> = new Counter({
    name: 'larder_redis_errors_total',
    help: 'Round trips to Redis that failed or took too long, by the command that they were about and the node of a cluster.',
    labelNames: ['command', 'node'],
    registers,
    collect,
  });
  const known = new Set<string>();
  /** An error counter exists as soon as something could fail, and costs nothing until something does. */
  const isNew = (name: string, all: Set<string> = known) => all.size < all.add(name).size;
  const commandsOf = (node: string): Set<string> => {
    const counted = commands.get(node) ?? new Set();
    commands.set(node, counted);
    return counted;
  };
  const subscriptions = [
    channels.sql.subscribe(({ name, ms, rows, failed }) => {
      const labels = { statement: name };
      sqlDuration.observe(labels, ms / 1000);
      sqlRows.inc(labels, rows);
      if (failed || isNew(name)) sqlErrors.inc(labels, Number(failed));
    }),
    channels.redis.subscribe(({ name, node, ms, failed }) => {
      const labels = node === null ? { command: name } : { command: name, node };
      redisDuration.observe(labels, ms / 1000);
      if (isNew(name, node === null ? known : commandsOf(node)) || failed) redisErrors.inc(labels, Number(failed));
    }),
  ];
  return () => {
    for (const unsubscribe of subscriptions) unsubscribe();
  };
}
