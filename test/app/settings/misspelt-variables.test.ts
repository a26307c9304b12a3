import { t } from 'tap';
import { readConfig } from '../../../src/app/config.ts';
import { startProcess } from '../../http/child.ts';
import { freshDatabase } from '../../support/services.ts';

const misspelt = (name: string, value = 'x') =>
  readConfig({ DATABASE_URL: 'postgres://localhost/x', [name]: value }).misspelt.map(({ nearest }) => nearest);

t.test('a variable that looks like a setting is found, with the setting that it is nearest to', async (t) => {
  const meant = {
    MAX_COSTS: 'MAX_COST',
    MAXCOST: 'MAX_COST',
    max_cost: 'MAX_COST',
    MAX_REQUEST_COST: 'MAX_COST',
    LARDER_MAX_COST: 'MAX_COST',
    DATABASE_POOLSIZE: 'DATABASE_POOL_SIZE',
    DATABASE_POOL: 'DATABASE_POOL_SIZE',
    DATABASE_URI: 'DATABASE_URL',
    REDIS_URI: 'REDIS_URL',
    REDSI_URL: 'REDIS_URL',
    CORS_ORIGIN: 'CORS_ORIGINS',
    TRUST_PROXIES: 'TRUST_PROXY',
    REQUEST_TIMEOUT: 'REQUEST_TIMEOUT_MS',
    CACHE_TTL: 'CACHE_TTL_SECONDS',
    LOGLEVEL: 'LOG_LEVEL',
    JWT_PUBLICKEY: 'JWT_PUBLIC_KEY',
    port: 'PORT',
    host: 'HOST',
    GRAPHQL: 'GRAPHIQL',
  };
  for (const [name, nearest] of Object.entries(meant)) t.same(misspelt(name), [nearest], name);
});

t.test('what belongs to others is left alone', async (t) => {
  const strangers = [
    'HOSTNAME',
    'HOSTTYPE',
    'PORTS',
    'POST',
    'PATH',
    'HOME',
    'USER',
    'SHELL',
    'LANG',
    'LC_ALL',
    'PWD',
    'TERM',
  ];
  strangers.push(
    'NODE_OPTIONS',
    'NODE_EXTRA_CA_CERTS',
    'PGHOST',
    'PGPORT',
    'PGDATABASE',
    'TZ',
    'CI',
    'DEBUG',
    'HTTP_PROXY',
  );
  strangers.push(
    'OTEL_EXPORTER_OTLP_HEADERS',
    'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT',
    'OTEL_SERVICE_NAME',
    'UV_THREADPOOL_SIZE',
  );
  strangers.push('DATABASE_URL_UNPOOLED', 'DATABASE_PRIVATE_URL', 'DATABASE_HOST', 'DATABASE_NAME', 'DATABASE_USER');
  strangers.push(
    'REDIS_HOST',
    'REDIS_PORT',
    'REDIS_TLS_URL',
    'REDIS_SERVICE_HOST',
    'REDIS_SERVICE_PORT',
    'MEMORY_LIMIT',
  );
  strangers.push(
    'LARDER_STATE_DIR',
    'KUBERNETES_SERVICE_PORT',
    'SECRET',
    'ORIGIN',
    'LEVEL',
    'CACHE',
    'npm_config_cache',
  );
  for (const name of strangers) t.same(misspelt(name), [], name);
  t.same(misspelt('LARDER_METRICS_PORT', 'tcp://10.0.0.7:9464'), [], "Kubernetes' word on a neighbour");
  t.same(misspelt('MAX_COSTS', ''), [], 'an empty variable counts as absent');
});

t.test('the log says so when the server starts', async (t) => {
  const database = await freshDatabase(t);
  const server = await startProcess(t, { database, redis: null }, { MAX_COSTS: '5', HOSTNAME: 'web-1' });
  const lines = server
    .output()
    .split('\n')
    .filter((line) => line.includes('MAX_COSTS'));
  t.equal(lines.length, 1);
  t.match(JSON.parse(lines[0] ?? ''), { level: 40, variable: 'MAX_COSTS', nearest: 'MAX_COST' });
  t.notMatch(server.output(), /HOSTNAME/);
});
