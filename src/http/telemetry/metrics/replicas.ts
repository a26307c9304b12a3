import { Counter, Gauge, type Registry } from 'prom-client';

/** What is known of the replicas of Postgres. */
export interface ReplicaFigures {
  /** @returns what is known of each replica */
  states(): readonly {
    readonly name: string;
    /** Why it is not used; `null` when it is. */
    readonly unfit: string | null;
    /** How far behind it is at most, in milliseconds; `null` when that is not known. */
    readonly lagMs: number | null;
    readonly statements: number;
  }[];
  /** How often the primary was read instead of a replica, by the reason. */
  readonly instead: Readonly<Record<string, number>>;
}

/**
 * Registers metrics of the replicas of Postgres. Without replicas there are none.
 *
 * @param registry where the metrics go
 * @param replicas the source of the metrics
 */
export function registerReplicaMetrics(registry: Registry, replicas: ReplicaFigures): void {
  const registers = [registry];
  const labelNames = ['replica'];
  new Gauge({
    name: 'larder_postgres_replica_lag_seconds',
    help: 'How old what a replica has may be at most, by replica. It is as old as the last look at least, and absent when nobody knows.',
    labelNames,
    registers,
    collect() {
      this.reset();
      for (const { name, lagMs } of replicas.states()) if (lagMs !== null) this.set({ replica: name }, lagMs / 1000);
    },
  });
  new Gauge({
    name: 'larder_postgres_replica_used',
    help: 'Whether lists are read at a replica, by replica.',
    labelNames,
    registers,
    collect() {
      for (const { name, unfit } of replicas.states()) this.set({ replica: name }, Number(unfit === null));
    },
  });
  new Counter({
    name: 'larder_postgres_replica_statements_total',
    help: 'Statements that were sent to a replica, by replica.',
    labelNames,
    registers,
    collect() {
      this.reset();
      for (const { name, statements } of replicas.states()) this.inc({ replica: name }, statements);
    },
  });
  new Counter({
    name: 'larder_postgres_replica_instead_total',
    help: 'Readings that the primary answered and not a replica, by why (written: the request writes, position: no replica had what its client wrote, unfit: none is used, failed: it did not answer).',
    labelNames: ['reason'],
    registers,
    collect() {
      this.reset();
      for (const [reason, count] of Object.entries(replicas.instead)) this.inc({ reason }, count);
    },
  });
}
