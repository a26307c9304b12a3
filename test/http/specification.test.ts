import { auditServer, serverAudits } from 'graphql-http';
import { t } from 'tap';
import { startServer } from '../support/server.ts';

t.test('every audit of GraphQL over HTTP passes on the live server', async (t) => {
  const server = await startServer(t, { redis: null, env: { INTROSPECTION: 'on' } });
  // Some of them ask for a type's name by `__type`.
  const url = `${server.url}/graphql`;
  t.equal(serverAudits({ url }).length, 61, 'the suite is the whole one');
  for (const result of await auditServer({ url })) {
    t.equal(result.status, 'ok', `${result.id} ${result.name}${'reason' in result ? `: ${result.reason}` : ''}`);
  }
});
