import { t } from 'tap';
import { parsePostgresUrl } from '../../src/postgres/url.ts';

const ENV = { PGUSER: 'me' };
const parse = (url: string, env: NodeJS.ProcessEnv = ENV) => parsePostgresUrl(url, env);
const at = (host: string, port = 5432) => ({ host, address: host, port });

t.test('the hosts, the account and the database are those that libpq would take', async (t) => {
  const meant: [string, object][] = [
    ['postgres://u:p@h:1/d', { hosts: [at('h', 1)], user: 'u', password: 'p', database: 'd' }],
    ['postgresql://h', { hosts: [at('h')], user: 'me', password: null, database: 'me' }],
    ['postgres://u@h', { user: 'u', database: 'u' }],
    ['postgres:///d', { hosts: [at('localhost')], database: 'd' }],
    ['postgres://[::1]/d', { hosts: [at('::1')] }],
    ['postgres://u:p@[::1]:6432/d', { hosts: [at('::1', 6432)], user: 'u' }],
    ['postgres://a,b:6432,[::1]/d', { hosts: [at('a'), at('b', 6432), at('::1')] }],
    [
      'postgres://a:1,b:2/d?target_session_attrs=read-write',
      { hosts: [at('a', 1), at('b', 2)], sessionAttrs: 'read-write' },
    ],
    ['postgres:///d?host=/run/postgresql', { hosts: [{ path: '/run/postgresql/.s.PGSQL.5432' }] }],
    ['postgres:///d?host=/run/postgresql/&port=6432', { hosts: [{ path: '/run/postgresql/.s.PGSQL.6432' }] }],
    ['postgres://%2Frun%2Fpostgresql/d', { hosts: [{ path: '/run/postgresql/.s.PGSQL.5432' }] }],
    ['postgres://u@localhost/d?host=/cloudsql/a:b:c', { hosts: [{ path: '/cloudsql/a:b:c/.s.PGSQL.5432' }] }],
    ['postgres:///?host=a,b&port=1,2', { hosts: [at('a', 1), at('b', 2)] }],
    ['postgres:///?host=a,b&port=7', { hosts: [at('a', 7), at('b', 7)] }],
    ['postgres://db.example/d?hostaddr=10.0.0.5', { hosts: [{ host: 'db.example', address: '10.0.0.5', port: 5432 }] }],
    ['postgres://h/d?user=u2&password=p2&dbname=d2', { user: 'u2', password: 'p2', database: 'd2' }],
    ['postgres://u:a%20b%25%40%2F@h/d%2Fe', { password: 'a b%@/', database: 'd/e' }],
    ['postgres://u:100%@h/d', { password: '100%' }],
    ['postgres://u:%zz%4@h/d', { password: '%zz%4' }],
    ['postgres://u:%FF@h/d', { password: '%FF' }],
    ['postgres://u:a:b#c@h/d', { password: 'a:b#c' }],
    ['postgres://u@server:p@h/d', { user: 'u@server', password: 'p' }],
    ['postgres://u:@h/d', { password: '' }],
  ];
  for (const [url, expected] of meant) t.match(parse(url), expected, url);
  const env = { PGHOST: '/tmp', PGPORT: '7', PGUSER: 'x', PGPASSWORD: 'y', PGDATABASE: 'z', PGAPPNAME: 'w' };
  const defaults = { hosts: [{ path: '/tmp/.s.PGSQL.7' }], user: 'x', password: 'y', database: 'z' };
  t.match(parse('postgres://', env), { ...defaults, settings: { application_name: 'w' } });
});

t.test('what libpq, Prisma and hosts write into a URL is understood', async (t) => {
  const neon = parse('postgres://u:p@ep-1.neon.tech/d?sslmode=require&channel_binding=require&options=endpoint%3Dep-1');
  t.match(neon, { tls: { mode: 'require' }, settings: { options: 'endpoint=ep-1' } });
  t.match(neon.unheeded, [/channel_binding=require is not enforced/], 'what is not done is told');
  const prisma = parse('postgres://h/d?schema=my%22app&pgbouncer=true&connection_limit=1&pool_timeout=0');
  t.match(prisma, { prepare: false, pooled: true, settings: { search_path: '"my""app"' } });
  const keeping = parse('postgres://h/d?pgbouncer=true&prepared_statements=true');
  t.match(keeping, { prepare: true, pooled: true }, 'pgbouncer keeps prepared statements from 1.21 on');
  t.match(parse('postgres://h/d?prepared_statements=false'), { prepare: false, pooled: false });
  t.match(prisma.unheeded, [/connection_limit.*DATABASE_POOL_SIZE/, /pool_timeout/]);
  t.strictSame(parse('postgres://h/d?schema=public&gssencmode=disable&channel_binding=prefer').settings, {});
  t.strictSame(parse('postgres://h/d').unheeded, []);
  t.match(parse('postgres://h/d?application_name=a&options=-c%20geqo%3Doff').settings, {
    application_name: 'a',
    options: '-c geqo=off',
  });
  t.match(parse('postgres://h/d?connect_timeout=3&keepalives_idle=60'), {
    connectTimeoutMs: 3000,
    keepAliveSeconds: 60,
  });
  t.match(parse('postgres://h/d?keepalives=0&connect_timeout=0'), { connectTimeoutMs: null, keepAliveSeconds: 0 });
  const modes = {
    disable: 'disable',
    allow: 'prefer',
    prefer: 'prefer',
    require: 'require',
    'verify-ca': 'require',
    'verify-full': 'require',
  };
  for (const [mode, expected] of Object.entries(modes))
    t.equal(parse(`postgres://h/d?sslmode=${mode}`).tls.mode, expected, mode);
  t.equal(parse('postgres://h/d').tls.mode, 'prefer', 'as libpq does');
  t.equal(parse('postgres://h/d?ssl=true').tls.mode, 'require');
  t.equal(parse('postgres://h/d?sslrootcert=system').tls.options('h').rejectUnauthorized, true);
});

t.test('what is not understood is named when the server starts, and no password with it', async (t) => {
  const wrong: [string, RegExp][] = [
    ['mysql://h/d', /starts with postgres:\/\/ or postgresql:\/\//],
    ['h/d', /starts with postgres:\/\//],
    ['postgres://h/d?sslmod=require', /"sslmod"/],
    ['postgres://h/d?statement_timeout=5', /"statement_timeout".*options=-c%20statement_timeout/],
    ['postgres://h/d?service=x', /"service"/],
    ['postgres://h/d?sslmode=strict', /sslmode must be one of disable, allow/],
    ['postgres://h/d?sslrootcert=/none.pem', /sslrootcert cannot be read.*\/none\.pem/],
    ['postgres://h/d?sslcert=/none.pem&sslkey=/none.key', /sslcert cannot be read/],
    ['postgres://h/d?sslcert=/none.pem', /sslcert and sslkey belong together/],
    ['postgres://h/d?sslrootcert=system&sslmode=require', /sslrootcert=system needs sslmode=verify-full/],
    ['postgres://h/d?gssencmode=require', /gssencmode must be one of/],
    ['postgres://h/d?channel_binding=yes', /channel_binding must be one of/],
    ['postgres://h/d?target_session_attrs=master', /target_session_attrs must be one of any, read-write/],
    ['postgres://h/d?connect_timeout=soon', /connect_timeout must be a whole number of seconds/],
    ['postgres://h/d?client_encoding=latin1', /client_encoding must be UTF8/],
    ['postgres://h/d?replication=database', /replication must be one of/],
    ['postgres://h:0/d', /port is not a number/],
    ['postgres://::1/d', /brackets/],
    ['postgres://a,b/d?port=1,2,3', /not as many ports/],
    ['postgres://u:sec/ret@h/d', /%2F/],
  ];
  for (const [url, message] of wrong) {
    t.throws(() => parsePostgresUrl(url), { name: 'WrongValue', message }, url);
    try {
      parsePostgresUrl(url);
    } catch (error) {
      t.notMatch(String(error), /sec\/|ret@/, 'no part of a password');
    }
  }
});
