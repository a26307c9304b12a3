import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { t } from 'tap';
import { readConfig } from '../../../src/app/config.ts';
import { runCli } from '../../support/run-cli.ts';
import { freshDatabase } from '../../support/services.ts';
import { reachableDirectory } from '../../support/temporary.ts';

t.test('each secret may come from a file', async (t) => {
  const directory = reachableDirectory(t);
  const fileOf = (name: string, text: string) => {
    writeFileSync(join(directory, name), text);
    return join(directory, name);
  };
  const secret = ' a secret with spaces around it, of thirty-two ';
  const config = readConfig({
    DATABASE_URL_FILE: fileOf('database', 'postgres://h/d\n'),
    REDIS_URL_FILE: fileOf('redis', 'redis://h\r\n'),
    JWT_SECRET_FILE: fileOf('secret', `${secret}\n`),
    JWT_PUBLIC_KEY_FILE: '',
  });
  t.equal(config.database.url, 'postgres://h/d');
  t.equal(config.cache.redisUrl, 'redis://h');
  t.same(config.auth.key, { secret }, 'of which only the last line break is not meant');
  t.same(config.misspelt, []);
  const both = { DATABASE_URL: 'postgres://h/d', DATABASE_URL_FILE: join(directory, 'database') };
  t.throws(() => readConfig(both), { name: 'ConfigError', message: /DATABASE_URL and DATABASE_URL_FILE are both set/ });
  const wrong: [string, RegExp][] = [
    [join(directory, 'none'), /DATABASE_URL_FILE cannot be read: ENOENT.*none/],
    [directory, /DATABASE_URL_FILE cannot be read: EISDIR/],
    [fileOf('empty', '\n'), /DATABASE_URL_FILE: .*empty is empty/],
  ];
  for (const [file, message] of wrong) {
    t.throws(() => readConfig({ DATABASE_URL_FILE: file }), { name: 'ConfigError', message });
  }
  t.match(readConfig({ DATABASE_URL: 'postgres://h/d', DATABASE_URLFILE: 'x' }).misspelt, [
    { name: 'DATABASE_URLFILE' },
  ]);
});

t.test('commands take them, too', async (t) => {
  const database = await freshDatabase(t);
  const file = join(reachableDirectory(t), 'url');
  writeFileSync(file, `${database.url}\n`);
  const { code, stdout, stderr } = await runCli('migrate', [], { DATABASE_URL_FILE: file });
  t.equal(code, 0, stderr);
  t.match(stdout, /up to date/);
});
