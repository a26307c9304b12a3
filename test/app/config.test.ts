import { readFileSync } from 'node:fs';
import { t } from 'tap';
import { readConfig } from '../../src/app/config.ts';

const source = readFileSync(new URL('../../src/app/environment.ts', import.meta.url), 'utf8');
const example = readFileSync(new URL('../../.env.example', import.meta.url), 'utf8');
const schema = [...source.matchAll(/^ {2}([A-Z][A-Z_]*): /gm)].map(([, name]) => name);

/** Every setting of the example, those that are commented out for being defaults as well. */
function settings(): Record<string, string> {
  return Object.fromEntries(
    [...example.matchAll(/^(?:# )?([A-Z][A-Z_]*)=(.*)$/gm)].map(([, name = '', value = '']) => [name, value]),
  );
}

t.test('.env.example', async (t) => {
  t.test('names each variable of the configuration, and no other', async (t) => {
    t.ok(schema.includes('DATABASE_URL'), 'the variables are found in the source');
    t.same(Object.keys(settings()).sort(), schema.toSorted());
  });

  t.test('shows the defaults as they are', async (t) => {
    const { DATABASE_URL, REDIS_URL, ...defaults } = settings();
    t.same(readConfig({ DATABASE_URL, ...defaults }), readConfig({ DATABASE_URL }));
    t.equal(readConfig({ DATABASE_URL, REDIS_URL }).cache.redisUrl, REDIS_URL);
  });

  t.test('is right about production', async (t) => {
    const { inspect, graphiql } = readConfig({ ...settings(), INSPECT: '', GRAPHIQL: '', NODE_ENV: 'production' });
    t.same({ inspect, graphiql }, { inspect: 'off', graphiql: false });
  });
});

t.test('an environment that cannot do is refused by name', async (t) => {
  t.throws(() => readConfig({}), { name: 'ConfigError', message: /DATABASE_URL/ });
  t.throws(() => readConfig({ DATABASE_URL: 'mysql://localhost/x', PORT: 'http', REDIS_URL: 'localhost' }), {
    message: /DATABASE_URL: expected a URL that starts with postgres:\/\/[\s\S]*REDIS_URL[\s\S]*PORT/,
  });
  t.throws(
    () => readConfig({ DATABASE_URL: 'postgres://localhost/x', JWT_SECRET: 'x'.repeat(32), JWT_JWKS_URL: 'file:///x' }),
    { message: /JWT_SECRET and JWT_JWKS_URL are both set/ },
  );
  t.throws(() => readConfig({ DATABASE_URL: 'postgres://localhost/x', GRAPHIQL: 'yes' }), { message: /GRAPHIQL/ });
});

t.test('a number that cannot be meant is refused by name, and what is accepted is what happens', async (t) => {
  const numbers = [...source.matchAll(/^ {2}([A-Z][A-Z_]*): (milliseconds|anyMilliseconds|whole|decimal|port)/gm)];
  t.ok(numbers.length >= 18, 'the numbers are found in the source');
  const read = (name: string, value: string) => readConfig({ DATABASE_URL: 'postgres://localhost/x', [name]: value });
  const mayBeNone = ['PORT', 'METRICS_PORT', 'MEMORY_MAX_ENTRIES', 'MAX_EVENT_LOOP_DELAY_MS', 'SELF_AUDIT_RATE'];
  mayBeNone.push('MEMORY_MAX_BYTES', 'SLOW_REQUEST_MS', 'SHUTDOWN_DELAY_MS', 'REQUEST_LOG_RATE');
  for (const [, name = '', kind] of numbers) {
    const wrong = [' ', '-1', 'x', '0x10', '1e3', 'Infinity', 'NaN', '1,000', '1_000', '5s', '99999999999999999999'];
    if (name.endsWith('_MS')) wrong.push('86400001', '2147483648');
    if (kind !== 'decimal') wrong.push('1.5', '5000.0');
    if (!mayBeNone.includes(name)) wrong.push('0');
    else t.doesNotThrow(() => read(name, '0'), `${name}=0`);
    for (const value of wrong) {
      const message = new RegExp(`^ *${name}: expected a (whole )?number from [\\d.]+ to \\d+$`, 'm');
      t.throws(() => read(name, value), { name: 'ConfigError', message }, `${name}=${value}`);
    }
  }
  t.equal(read('STATEMENT_TIMEOUT_MS', '86400000').database.statementTimeoutMs, 86_400_000, 'a day is what it says');
  t.equal(read('SELF_AUDIT_RATE', '1e-4').cache.selfAuditRate, 0.0001);
});
