// Loaded before the server (`node --import`): a Larder that counts and times nothing for the request that asked Postgres or
// Redis, and so has nothing to inspect. Metrics hear what they always hear.
import { Trace } from '../../../dist/trace/trace.js';

Trace.prototype.statement = function statement(name, text, parameters, started, rows) {
  if (!this.channels.sql.heard) return;
  const ms = performance.now() - started;
  const counts = { failed: rows === null, rows: rows ?? 0 };
  this.channels.sql.publish({ kind: 'sql', name, started, ms, ...counts, text, parameters });
};

Trace.prototype.roundTrip = function roundTrip(name, keys, started, work) {
  if (!this.channels.redis.heard) return;
  const { commands = 0, hits = null } = work ?? {};
  const ms = performance.now() - started;
  this.channels.redis.publish({ kind: 'redis', name, started, ms, failed: work === null, keys, commands, hits });
};

Trace.prototype.sharedStatement = () => {};
