import { readConfig } from '../app/config.ts';
import { entities } from '../app/entities.ts';
import { RedisUnavailable } from '../cache/cluster/sources.ts';
import { expectNoMore, runCommand } from '../commands/command.ts';
import { forgetEverything } from '../commands/forget.ts';
import { DatabaseUnavailable } from '../postgres/errors.ts';
import { storesOf } from './stores-of.ts';

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
  errors: [DatabaseUnavailable, RedisUnavailable],
  async run(_values, positionals) {
    expectNoMore(positionals);
    await forgetEverything(storesOf(readConfig(process.env)), Object.keys(entities), (line) =>
      process.stdout.write(`${line}\n`),
    );
  },
});
