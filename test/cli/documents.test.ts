import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Test, t } from 'tap';
import { codes, send } from '../http/client.ts';
import { runRelayCompiler } from '../relay/run-compiler.ts';
import { runCli } from '../support/run-cli.ts';
import { startServer } from '../support/server.ts';
import { reachableDirectory } from '../support/temporary.ts';

const hashOf = (algorithm: string, text: string) => createHash(algorithm).update(text).digest('hex');

const read = (file: string) => JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>;

/** Lets the Relay compiler persist the queries of the client of test/relay. */
function persist(t: Test, algorithm: 'MD5' | 'SHA256'): string {
  const directory = reachableDirectory(t);
  const file = join(directory, 'persisted.json');
  writeFileSync(file, '{}');
  const { exitCode, said } = runRelayCompiler(directory, { persistConfig: { file: './persisted.json', algorithm } });
  if (exitCode !== 0) throw new Error(`The compiler failed:\n${said}`);
  return file;
}

t.test('what the Relay compiler persists is answered by its id', async (t) => {
  const sha = persist(t, 'SHA256');
  const md5 = persist(t, 'MD5');
  const out = join(reachableDirectory(t), 'documents.json');
  const { code, stderr } = await runCli('documents', [sha, '--out', out], {});
  t.equal(code, 0, stderr);
  const documents = read(out);
  const names = Object.keys(documents);
  t.ok(names.length > 0);
  t.match(stderr, `${names.length} documents written to ${out}.`);
  t.same(documents, read(sha), 'Relay can name them as the server does');
  for (const [hash, text] of Object.entries(documents)) t.equal(hash, hashOf('sha256', text));
  t.same(names, names.toSorted());

  const both = join(reachableDirectory(t), 'documents.json');
  const mixed = await runCli('documents', [md5, sha, out, '--out', both], {});
  t.equal(mixed.code, 0);
  const advice = new RegExp(`${md5}: ${names.length} documents are not named by the SHA-256 .* algorithm: 'SHA256'`);
  t.match(mixed.stderr, advice, 'and how to let Relay name them is said');
  t.equal(mixed.stderr.match(/are not named by/g)?.length, 1, 'of that file alone');
  t.notMatch(stderr, /are not named by/);
  t.same(read(both), documents, 'those that Relay named by MD5 get a SHA-256, and each stands there once');

  const env = { TRUSTED_DOCUMENTS_FILE: out, TRUSTED_DOCUMENTS: 'only' };
  const server = await startServer(t, { redis: null, env });
  const [hash = '', text = ''] =
    Object.entries(documents).find(([, known]) => known.startsWith('query CampaignList')) ?? [];
  t.not(text, '', 'the client asks for a list of campaigns');
  const variables = { count: 2, first: 2, eventCount: 1 };
  const answer = await send(server.url, { body: { documentId: `sha256:${hash}`, variables } });
  t.equal(answer.json.errors, undefined, answer.text);
  t.match(answer.json.data, { campaigns: {} });
  const old = await send(server.url, { body: { doc_id: hashOf('md5', text), variables } });
  t.same(codes(old), ['DOCUMENT_NOT_FOUND'], 'an MD5 is no name');
});

t.test('a file that would not be answered is refused by name', async (t) => {
  const directory = reachableDirectory(t);
  const out = join(directory, 'out.json');
  const file = join(directory, 'in.json');
  const wrong: Record<string, [string, RegExp]> = {
    'no JSON': ['{', /in\.json cannot be read as JSON/],
    'a list': ['["{ __typename }"]', /in\.json: expected an object of texts by name/],
    null: ['null', /expected an object/],
    'no text': ['{"abc": {"text": "{ __typename }"}}', /abc is not text/],
    'no document': ['{"abc": "{ __typename"}', /abc is not valid: Syntax Error/],
    'an unknown field': ['{"good": "{ __typename }", "abc": "{ campaignz { id } }"}', /abc is not valid: .*campaignz/],
    'too large a document': [
      JSON.stringify({ abc: `{ ${'a: __typename '.repeat(101)} }` }),
      /abc is not valid: .*aliases/,
    ],
  };
  for (const [name, [content, message]] of Object.entries(wrong)) {
    writeFileSync(file, content);
    const { code, stderr } = await runCli('documents', [file, '--out', out], {});
    t.equal(code, 1, name);
    t.match(stderr, message);
    t.notMatch(stderr, /\n {4}at /, 'no stack');
    t.throws(() => readFileSync(out), { code: 'ENOENT' }, 'nothing is written');
  }
  const missing = await runCli('documents', [join(directory, 'none.json')], {});
  t.match(missing, { code: 1, stderr: /none\.json cannot be read/ });
  writeFileSync(file, '{"__proto__": "{ __typename }"}');
  t.match(await runCli('documents', [file, '--out', join(file, 'such')], {}), { code: 1, stderr: /cannot be written/ });
  const deep = join(directory, 'no', 'such', 'documents.json');
  t.match(await runCli('documents', [file, '--out', deep], {}), { code: 0 }, 'directories are made');
  t.equal(Object.keys(read(deep)).length, 1);
  t.match(await runCli('documents', [file, '--out', out], {}), { code: 0 }, 'a name is only a name');
  t.same(read(out), { [hashOf('sha256', '{ __typename }')]: '{ __typename }' });
  const empty = join(directory, 'empty.json');
  writeFileSync(empty, '{}');
  const nothing = join(directory, 'nothing.json');
  for (const files of [[empty], [empty, empty]]) {
    const refused = await runCli('documents', [...files, '--out', nothing], {});
    t.match(refused, { code: 1, stderr: /no documents in .*empty\.json.*nothing was written/ });
    t.notOk(existsSync(nothing));
  }
  t.match(await runCli('documents', [empty, file, '--out', nothing], {}), { code: 0 }, 'beside others it does no harm');
  t.match(await runCli('documents', [], {}), { code: 2, stderr: /npm run documents -- FILE/ });
});
