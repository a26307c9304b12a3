import { readFileSync } from 'node:fs';
import { t } from 'tap';
import { readConfig } from '../src/config.ts';

const source = readFileSync(new URL('../src/environment.ts', import.meta.url), 'utf8');
const example = readFileSync(new URL('../.env.example', import.meta.url), 'utf8');
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
  t.throws(() => readConfig({ DATABASE_URL: 'postgres://localhost/x', GRAPHIQL: 'yes' }), { message: /GRAPHIQL/ });
});
