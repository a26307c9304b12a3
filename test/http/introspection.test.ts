import { createSigner } from 'fast-jwt';
import { t } from 'tap';
import { startServer } from '../support/server.ts';
import { codes, send } from './client.ts';

const SECRET = 'a secret of at least thirty-two characters';
const bearer = { authorization: `Bearer ${createSigner({ key: SECRET })({ sub: 'somebody', scope: 'write' })}` };
const ANONYMOUS = {};

const QUESTIONS = [
  '{ __schema { queryType { name } } }',
  '{ __type(name: "Brand") { name } }',
  '{ ... on Query { shown: __schema { queryType { name } } } }',
  'query ($s: Boolean = false) { ...F @skip(if: $s) } fragment F on Query { __type(name: "Brand") { name } }',
];

// The tests' servers are in production; in development everybody is shown the schema.
for (const [setting, who] of [
  ['', { anonymous: false, bearer: true }],
  ['authenticated', { anonymous: false, bearer: true }],
  ['off', { anonymous: false, bearer: false }],
  ['on', { anonymous: true, bearer: true }],
] as const) {
  t.test(`INTROSPECTION=${setting} in production`, async (t) => {
    const server = await startServer(t, { redis: null, env: { INTROSPECTION: setting, JWT_SECRET: SECRET } });
    for (const query of QUESTIONS) {
      for (const [name, headers, shown] of [
        ['anonymous', ANONYMOUS, who.anonymous],
        ['bearer', bearer, who.bearer],
      ] as const) {
        for (const sent of [{ body: { query } }, { search: { query } }]) {
          const answer = await send(server.url, { ...sent, headers });
          t.same([codes(answer), 'data' in answer.json], [shown ? [] : ['INTROSPECTION_OFF'], shown], name);
        }
      }
    }
    const name = { query: '{ __typename brands { __typename totalCount } }' };
    t.match((await send(server.url, { body: name })).json.data, { __typename: 'Query' }, 'a name is no schema');
  });
}
