/**
 * A run of Redis, as the heartbeat's script names it: a restart begins another process, a failover another history.
 *
 * @param info what Redis says of itself and of its replication
 * @returns the run; `null` when that is not said
 */
export function epochOf(info: string): string | null {
  const process = /^run_id:(\w{40})/m.exec(info)?.[1];
  const history = /^master_replid:(\w+)/m.exec(info)?.[1];
  return process === undefined || history === undefined ? null : process + history;
}

/**
 * @param one a run of Redis
 * @param other another one
 * @returns whether they are of the same process
 */
export function ofSameProcess(one: string, other: string): boolean {
  return one.slice(0, 40) === other.slice(0, 40);
}
