import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import { exited, guardProcess, stopProcess } from '../../src/cli/services/process.ts';
import { findRedis } from '../../src/cli/services/redis-binary.ts';
import { portForLater } from './port.ts';
import { reachableDirectory } from './temporary.ts';

const HOST = '127.0.0.1';

/**
 * A primary that does not answer for so long is replaced, in milliseconds: on a busy machine it may stand still for a second or two, and while
 * the Sentinel replaces it by itself it refuses a failover that it is asked for.
 */
const DOWN_AFTER_MS = 10_000;

/**
 * Starts a Sentinel that watches a primary of 127.0.0.1 as `mymaster`, and stops it when the test ends.
 *
 * @param t the test that it is for
 * @param primaryPort the primary's port
 * @returns the Sentinel's port
 */
export async function startSentinel(t: Test, primaryPort: number): Promise<number> {
  const binary = findRedis();
  if (binary === null) throw new Error('There is no redis-server.');
  const dir = reachableDirectory(t);
  const port = await portForLater();
  const file = join(dir, 'sentinel.conf');
  const lines = [`bind ${HOST}`, `port ${port}`, `dir ${dir}`, `sentinel monitor mymaster ${HOST} ${primaryPort} 1`];
  lines.push(`sentinel down-after-milliseconds mymaster ${DOWN_AFTER_MS}`, 'sentinel failover-timeout mymaster 10000');
  writeFileSync(file, `${lines.join('\n')}\n`);
  const child = spawn(binary.file, [file, '--sentinel'], { argv0: binary.argv0, detached: true, stdio: 'ignore' });
  const pid = child.pid;
  if (pid === undefined) throw new Error('The Sentinel did not start.');
  const guard = guardProcess(pid, null);
  t.teardown(async () => {
    await stopProcess(pid, [
      ['SIGTERM', 5000],
      ['SIGKILL', 5000],
    ]);
    await exited(child);
    await guard.release();
  });
  return port;
}
