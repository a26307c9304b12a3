import { generateKeyPairSync } from 'node:crypto';
import { t } from 'tap';
import { readConfig } from '../../../src/app/config.ts';

const read = (variables: Readonly<Record<string, string>>) =>
  readConfig({ DATABASE_URL: 'postgres://localhost/x', ...variables });

t.test('an origin is taken in any form that can be meant, and compared in the one that browsers send', async (t) => {
  const forms: [string, string][] = [
    ['https://app.example', 'https://app.example'],
    ['https://app.example/', 'https://app.example'],
    ['HTTPS://App.Example', 'https://app.example'],
    ['https://app.example:443', 'https://app.example'],
    ['http://app.example:80/', 'http://app.example'],
    ['https://app.example:8443', 'https://app.example:8443'],
    ['http://app.example:443', 'http://app.example:443'],
    ['https://bücher.example', 'https://xn--bcher-kva.example'],
    ['http://localhost:3000', 'http://localhost:3000'],
    ['http://127.0.0.1:3000', 'http://127.0.0.1:3000'],
    ['http://[::1]:3000', 'http://[::1]:3000'],
    ['http://[0:0:0:0:0:0:0:1]', 'http://[::1]'],
    ['capacitor://localhost', 'capacitor://localhost'],
    ['chrome-extension://abcdefghijklmnop', 'chrome-extension://abcdefghijklmnop'],
  ];
  for (const [form, origin] of forms) t.same(read({ CORS_ORIGINS: form }).corsOrigins, [origin], form);
  const all = ' https://a.example/ ,https://A.example:443,, http://b.example ';
  t.same(read({ CORS_ORIGINS: all }).corsOrigins, ['https://a.example', 'http://b.example'], 'each once');
});

t.test('an origin that no browser sends is refused by name', async (t) => {
  const wrong = [
    '*',
    'null',
    'app.example',
    'localhost:3000',
    '//app.example',
    'https:app.example',
    'https:/app.example',
  ];
  wrong.push(
    'https://*.app.example',
    'https://app.*',
    'https://app.example/path',
    'https://app.example//',
    'https://a b',
  );
  wrong.push('https://app.example?x', 'https://app.example#x', 'https://me@app.example', 'https://me:pw@app.example');
  wrong.push(
    'https://app.example:99999',
    'https://',
    'file://',
    'file:///x',
    'wss://app.example',
    '"https://app.example"',
  );
  wrong.push(
    '["https://app.example"]',
    'https://a.example https://b.example',
    'https://a.example;https://b.example',
    '/.*/',
  );
  for (const origin of wrong) {
    t.throws(() => read({ CORS_ORIGINS: origin }), { name: 'ConfigError', message: /CORS_ORIGINS.*example/ }, origin);
    t.throws(
      () => read({ CORS_ORIGINS: `https://a.example,${origin}` }),
      { message: /CORS_ORIGINS/ },
      'beside another',
    );
  }
});

t.test('a proxy is an address, a network or the name of some, and all else is refused by name', async (t) => {
  const right: [string, string][] = [
    ['127.0.0.1', '127.0.0.1'],
    ['10.0.0.0/8', '10.0.0.0/8'],
    ['10.1.2.3/8', '10.1.2.3/8'],
    ['10.0.0.0/255.0.0.0', '10.0.0.0/8'],
    ['172.16.0.0/255.240.0.0', '172.16.0.0/12'],
    ['::1', '::1'],
    ['[::1]', '::1'],
    ['[fd00::]/8', 'fd00::/8'],
    ['fd00::/8', 'fd00::/8'],
    ['::ffff:10.0.0.1', '::ffff:10.0.0.1'],
    ['loopback', 'loopback'],
    ['UniqueLocal', 'uniquelocal'],
    ['linklocal', 'linklocal'],
  ];
  for (const [text, proxy] of right) t.same(read({ TRUST_PROXY: text }).trustProxy, [proxy], text);
  const wrong = [
    '1',
    '2',
    '0',
    'true',
    'false',
    'TRUE',
    'yes',
    '*',
    'all',
    'nginx',
    'localhost',
    '10.0.0',
    '10',
    '10.0.0.256',
  ];
  wrong.push(
    '10.0.0.0/33',
    '10.0.0.0/-1',
    '10.0.0.0/',
    '10.0.0.0/x',
    '10.0.0.0/8/8',
    '0.0.0.0/0',
    '::/0',
    'fd00::/129',
  );
  wrong.push(
    '10.0.0.0/255.0.255.0',
    'fd00::/255.0.0.0',
    '10.0.0.0/0.0.0.0',
    'fe80::1%eth0',
    'http://10.0.0.1',
    '10.0.0.1:80',
  );
  for (const proxy of wrong) {
    t.throws(
      () => read({ TRUST_PROXY: proxy }),
      { name: 'ConfigError', message: /TRUST_PROXY.*10\.0\.0\.0\/8/ },
      proxy,
    );
    t.throws(() => read({ TRUST_PROXY: `127.0.0.1, ${proxy}` }), { message: /TRUST_PROXY/ }, 'beside another');
  }
});

t.test('a host to listen on is a host and nothing else', async (t) => {
  for (const name of ['HOST', 'METRICS_HOST']) {
    const hostOf = (text: string) => {
      const { http, metrics } = read({ [name]: text });
      return name === 'HOST' ? http.host : metrics.host;
    };
    t.equal(hostOf('[::]'), '::', 'brackets are for URLs');
    for (const host of ['0.0.0.0', '::', '::1', 'localhost', 'server-1.internal', 'a_b']) t.equal(hostOf(host), host);
    for (const host of [
      'http://0.0.0.0',
      '0.0.0.0:4000',
      '[::]:4000',
      '*',
      'localhost/',
      ' ',
      'a b',
      '1.2.3',
      '4000',
      '-a',
    ]) {
      t.throws(() => hostOf(host), { name: 'ConfigError', message: new RegExp(`^ *${name}: expected`, 'm') }, host);
    }
  }
});

t.test('two servers on one port are refused, unless on hosts of their own', async (t) => {
  const message = /PORT and METRICS_PORT are both 4000/;
  t.throws(() => read({ METRICS_PORT: '4000' }), { name: 'ConfigError', message });
  t.throws(() => read({ METRICS_PORT: '4000', HOST: '0.0.0.0' }), { message });
  t.throws(() => read({ METRICS_PORT: '4000', METRICS_HOST: '::' }), { message });
  t.doesNotThrow(() => read({ METRICS_PORT: '4000', HOST: '10.0.0.5' }));
  t.doesNotThrow(() => read({ METRICS_PORT: '0', PORT: '0' }), 'any that is free');
});

t.test('a public key counts in whatever way its line breaks were kept', async (t) => {
  const keyOf = (text: string) => {
    const { key } = read({ JWT_PUBLIC_KEY: text }).auth;
    return key !== null && 'publicKey' in key ? key.publicKey : '';
  };
  const pems = [
    generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey,
    generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey,
    generateKeyPairSync('ed25519').publicKey,
  ].map((key) => key.export({ type: 'spki', format: 'pem' }).toString());
  for (const pem of pems) {
    const escaped = pem.replaceAll('\n', '\\n');
    const forms = [pem, pem.trim(), ` ${pem}\n`, escaped, pem.replaceAll('\n', '\\r\\n'), pem.replaceAll('\n', '\r\n')];
    for (const form of [...forms, pem.replaceAll('\n', ' '), pem.replaceAll('\n', '')]) t.equal(keyOf(form), pem, form);
  }
  const [rsa = ''] = pems;
  const x25519 = generateKeyPairSync('x25519').publicKey.export({ type: 'spki', format: 'pem' }).toString();
  const secret = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  for (const text of [
    x25519,
    secret,
    rsa.slice(0, 60),
    rsa.replace('MII', 'AAA'),
    'x',
    rsa.replaceAll('PUBLIC', 'RSA PUBLIC'),
  ]) {
    t.throws(() => keyOf(text), { name: 'ConfigError', message: /JWT_PUBLIC_KEY: \S+/ }, text);
  }
});
