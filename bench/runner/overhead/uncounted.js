// Loaded before the server (`node --import`): a Larder that counts and times nothing for the request that asked Postgres or
// Redis, and so has nothing to inspect. Metrics hear what they always hear.
import { channels } from '../../../dist/trace/channels.js';
import { Trace } from '../../../dist/trace/trace.js';

Trace.prototype.statement = (name, text, parameters, started, rows) => {
  if (!channels.sql.heard) return;
  const ms = performance.now() - started;
  channels.sql.publish({ kind: 'sql', name, started, ms, failed: rows === null, rows: rows ?? 0, text, parameters });
};

Trace.prototype.roundTrip = (name, keys, started, work) => {
  if (!channels.redis.heard) return;
  const { commands = 0, hits = null } = work ?? {};
  const ms = performance.now() - started;
  channels.redis.publish({ kind: 'redis', name, started, ms, failed: work === null, keys, commands, hits });
};

Trace.prototype.sharedStatement = () => {};
