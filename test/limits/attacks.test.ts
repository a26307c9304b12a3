import type { Agent } from 'node:http';
import { t } from 'tap';
import { startProcess } from '../http/child.ts';
import { codes, keepAlive, send } from '../http/client.ts';
import { makeData } from '../support/data.ts';
import { openSql } from '../support/server.ts';
import { freshDatabase } from '../support/services.ts';
import { ATTACKS, freshAttack, USUAL } from './attacks.ts';

/** What each may take, in milliseconds, and by how much that is stretched where two cores run everything at once. */
const LIMIT_MS = 250;
const PATIENCE = 4;

const QUERY = '{ campaigns(first: 5) { nodes { title events(first: 5) { nodes { title } } } } }';

const database = await freshDatabase(t);
await makeData(openSql(t, database), { brands: 2, campaigns: 12, events: 30, perCampaign: 10 });
const server = await startProcess(t, { database, redis: null }, { INTROSPECTION: 'on' });
const expected = (await send(server.url, { body: { query: QUERY } })).text;

/** The values of a sample below which this share of it lies. */
const quantile = (sample: readonly number[], share: number) =>
  sample.toSorted((a, b) => a - b)[Math.min(sample.length - 1, Math.floor(sample.length * share))] ?? 0;

/** A client that minds its own business until it is told to stop, and how long each of its requests took. */
async function honest(agent: Agent, enough: (times: number[]) => boolean): Promise<number[]> {
  const times: number[] = [];
  while (!enough(times)) {
    const { text, ms } = await send(server.url, { body: { query: QUERY }, agent });
    if (text !== expected) throw new Error(`Expected the same answer as before, got ${text}`);
    times.push(ms);
  }
  return times;
}

t.test('each attack is refused or answered at once', async (t) => {
  const agent = keepAlive(t, 1);
  // Code that has never run is slow; what counts is what can be repeated.
  for (const sent of Object.values(ATTACKS)) await send(server.url, { ...sent, agent });
  for (const name of Object.keys(ATTACKS)) {
    let best = await send(server.url, { ...freshAttack(name), agent });
    for (let again = 0; again < 2 && best.ms > LIMIT_MS; again += 1) {
      const next = await send(server.url, { ...freshAttack(name), agent });
      if (next.ms < best.ms) best = next;
    }
    t.ok(best.ms < LIMIT_MS * PATIENCE, `${name}: ${best.ms.toFixed(0)} ms`);
    t.ok(best.status < 500, `${name}: ${best.status}`);
    t.ok(best.text.length < 2_000_000, `${name}: ${best.text.length} bytes`);
    t.ok(best.json.errors === undefined || codes(best).every((code) => typeof code === 'string'), 'errors have codes');
  }
  t.equal((await send(server.url, { body: { query: QUERY } })).text, expected, 'and the server is well');
});

t.test('during a storm of attacks others are answered, and rightly', async (t) => {
  const agent = keepAlive(t, 1);
  const storms = { 'of what everybody tries': USUAL, 'of everything': Object.keys(ATTACKS) };
  for (const [name, attacks] of Object.entries(storms)) {
    const calm = await honest(agent, (times) => times.length >= 300);
    const storm = keepAlive(t, 2);
    let stormy = true;
    const attack = async () => {
      for (let round = 0; round < 200 / attacks.length; round += 1) {
        for (const key of attacks) await send(server.url, { ...freshAttack(key), agent: storm });
      }
    };
    const over = Promise.all([attack(), attack()]).finally(() => {
      stormy = false;
    });
    const during = await honest(agent, () => !stormy);
    await over;
    const shown = [0.5, 0.99].map((share) => {
      const [before, meanwhile] = [quantile(calm, share), quantile(during, share)];
      const ratio = (meanwhile / before).toFixed(1);
      return `p${share * 100} ${before.toFixed(1)} ms alone, ${meanwhile.toFixed(1)} ms meanwhile, ${ratio} times`;
    });
    t.comment(`A storm ${name}: ${shown.join('; ')}`);
    t.ok(during.length > 10, `${name}: ${during.length} honest requests were answered meanwhile`);
    t.ok(quantile(during, 0.99) < LIMIT_MS * PATIENCE, `p99 is ${quantile(during, 0.99).toFixed(0)} ms`);
  }
  t.equal(server.exitCode(), null);
});
