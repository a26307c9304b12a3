import { rmSync } from 'node:fs';
import { Redis } from 'ioredis';
import type { Test } from 'tap';
import { type RedisService, startRedis } from '../../src/cli/services/redis.ts';
import { portForLater } from '../support/port.ts';
import { reachableDirectory } from '../support/temporary.ts';

/** A Redis that dies and comes back at the same address. */
export interface RedisControl {
  readonly url: string;
  readonly port: number;
  /** Writes what it holds to disk, for `start` to find. */
  snapshot(): Promise<void>;
  /** Kills it with SIGKILL. */
  crash(): Promise<void>;
  /** Starts it again, with nothing or with what the last snapshot holds. */
  start(from: 'nothing' | 'snapshot'): Promise<void>;
  /** Sends a signal, such as SIGSTOP or SIGCONT. */
  signal(signal: NodeJS.Signals): void;
}

/**
 * Starts a Redis; it is stopped when the test ends.
 *
 * @param t the test that it is for
 * @returns the Redis
 */
export async function openRedisControl(t: Test): Promise<RedisControl> {
  const dir = reachableDirectory(t);
  let service: RedisService = await startRedis({ dir, port: await portForLater() });
  const { url, port } = service;
  t.teardown(() => service.stop());
  return {
    url,
    port,
    snapshot: async () => {
      const client = new Redis(url);
      try {
        await client.save();
      } finally {
        client.disconnect();
      }
    },
    crash: async () => {
      service.kill('SIGKILL');
      await service.stop();
    },
    start: async (from) => {
      if (from === 'nothing') rmSync(`${dir}/dump.rdb`, { force: true });
      service = await startRedis({ dir, port });
      if (service.port !== port) throw new Error(`Port ${port} was taken while Redis was down`);
    },
    signal: (signal) => service.kill(signal),
  };
}
