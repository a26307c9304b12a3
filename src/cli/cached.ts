import { readConfig } from '../app/config.ts';
import { entities } from '../app/entities.ts';
import { RedisUnavailable } from '../cache/cluster/sources.ts';
import { sayCached } from '../commands/cached.ts';
import { runCommand } from '../commands/command.ts';
import { DatabaseUnavailable } from '../postgres/errors.ts';
import { storesOf } from './stores-of.ts';

const help = `Shows what Redis has of an entity, and whether reads use it and why.

  npm run cached -- ENTITY ID      such as Campaign 7
  npm run cached -- GLOBAL_ID      as GraphQL answers it
  node dist/cli/cached.js ENTITY ID

Looks at the Redis at REDIS_URL with CACHE_PREFIX and at the row at DATABASE_URL, and changes nothing. What the memory of a
process holds is not seen from outside; it is used in the same cases, by id for MEMORY_TTL_MS at most without news.
`;

await runCommand({
  help,
  options: {},
  errors: [DatabaseUnavailable, RedisUnavailable],
  run: (_values, positionals) =>
    sayCached(storesOf(readConfig(process.env)), entities, positionals, (line) => process.stdout.write(`${line}\n`)),
});
