import { spawnSync } from 'node:child_process';
import { canInstall, findOnPath, installPackage } from './install.ts';

/** A program that is a Redis server when it is started under the right name. */
export interface RedisBinary {
  readonly file: string;
  readonly argv0: string;
}

const SERVER = 'redis-server';

/**
 * Finds a Redis server on PATH, or else a Valkey.
 *
 * @returns how to start it, or `null`
 */
export function findRedis(): RedisBinary | null {
  // Valkey takes the same arguments, under either name.
  const server = findOnPath([SERVER, 'valkey-server']);
  if (server !== null) return { file: server, argv0: SERVER };
  // Debian's package redis-tools has the server under the name redis-check-rdb; one program serves both. The package redis-server only adds
  // the other name, and a service that would run at every boot.
  const tools = findOnPath(['redis-check-rdb']);
  if (tools === null) return null;
  const version = spawnSync(tools, ['--version'], { argv0: SERVER, encoding: 'utf8' });
  return /^Redis server v=/i.test(version.stdout) ? { file: tools, argv0: SERVER } : null;
}

/**
 * Finds a Redis server on PATH, or installs Debian's where root may. No service is left running or enabled.
 *
 * @returns how to start it; `null` after printing why there is none and how to get one
 */
export async function findOrInstallRedis(): Promise<RedisBinary | null> {
  const found = findRedis();
  if (found !== null) return found;
  let reason = 'There is no redis-server on PATH.';
  if (canInstall()) {
    try {
      await installPackage('redis-tools');
      const installed = findRedis();
      if (installed !== null) return installed;
      reason = 'The package redis-tools brought no Redis server.';
    } catch (error) {
      reason = (error as Error).message;
    }
  }
  process.stderr.write(
    `${reason}\nTo get Redis: \`sudo apt-get install redis-server\` (Debian, Ubuntu), \`brew install redis\` (macOS), ` +
      'or set REDIS_URL to one that runs.\n',
  );
  return null;
}
