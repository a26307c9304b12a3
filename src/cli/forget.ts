import { readConfig } from '../app/config.ts';
import { entities } from '../app/entities.ts';
import { removeKeys } from '../cache/redis/remove-keys.ts';
import { renewAllDomains } from '../outbox/domains.ts';
import { openDatabase } from '../postgres/client.ts';
import { DatabaseUnavailable } from '../postgres/errors.ts';
import { runCommand, UsageError } from './command.ts';

const help = `Makes every process forget what it has cached: after a restore, a failover that lost commits, or a change of rows
that Larder cannot notice (CAVEATS.md).

  npm run forget
  node dist/cli/forget.js

Removes all bodies from the Redis at REDIS_URL with CACHE_PREFIX, then tells all processes on the database at DATABASE_URL
to empty their memory, which they do within a second. Where servers use several Redises or prefixes, run it for each.
Nothing is lost but time: what is asked for next is read from Postgres.
`;

await runCommand({
  help,
  options: {},
  errors: [DatabaseUnavailable],
  async run(_values, positionals) {
    if (positionals.length > 0) throw new UsageError(`Unexpected argument: ${positionals.join(' ')}`);
    const { database, cache } = readConfig(process.env);
    const say = (line: string) => process.stdout.write(`${line}\n`);
    // First: what a process reads from Redis after it has emptied its memory must not be what was there before.
    if (cache.redisUrl === null) say('No REDIS_URL: there is no Redis to empty.');
    else say(`Removed ${await removeKeys(cache.redisUrl, cache.prefix, Object.keys(entities))} bodies from Redis.`);
    const opened = openDatabase({ ...database, poolSize: 1 });
    try {
      const domains = await renewAllDomains(opened);
      say(`Told all processes to forget what is in their memory (${domains} cache domains).`);
    } finally {
      await opened.close();
    }
  },
});
