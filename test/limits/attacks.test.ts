import { readFileSync } from 'node:fs';
import type { Agent } from 'node:http';
import { t } from 'tap';
import { startProcess } from '../http/child.ts';
import { codes, keepAlive, send } from '../http/client.ts';
import { makeData } from '../support/data.ts';
import { openSql } from '../support/server.ts';
import { freshDatabase } from '../support/services.ts';
import { ATTACKS, freshAttack, USUAL } from './attacks.ts';

/** How much of a processor's time one may cost the server, in milliseconds: how long that takes depends on what else the machine does. */
const LIMIT_MS = 500;

const QUERY = '{ campaigns(first: 5) { nodes { title events(first: 5) { nodes { title } } } } }';

const database = await freshDatabase(t);
await makeData(openSql(t, database), { brands: 2, campaigns: 12, events: 30, perCampaign: 10 });
const server = await startProcess(t, { database, redis: null }, { INTROSPECTION: 'on' });
const expected = (await send(server.url, { body: { query: QUERY } })).text;

/** How much of a processor's time the server has had, in milliseconds (proc_pid_stat(5): in ticks, of which a second has a hundred). */
function usedMs(): number {
  const fields = readFileSync(`/proc/${server.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return 10 * (Number(fields[11]) + Number(fields[12]));
}

/** Sends an attack, and what it cost the server. */
async function cost(name: string, agent: Agent) {
  const before = usedMs();
  const answer = await send(server.url, { ...freshAttack(name), agent });
  return { ...answer, used: usedMs() - before };
}

/** The values of a sample below which this share of it lies. */
const quantile = (sample: readonly number[], share: number) =>
  sample.toSorted((a, b) => a - b)[Math.min(sample.length - 1, Math.floor(sample.length * share))] ?? 0;

/** A request that somebody waited for: how long, and how much of a processor's time the server had meanwhile, in milliseconds. */
interface Wait {
  readonly ms: number;
  readonly used: number;
}

/** A client that minds its own business until it is told to stop, and what each of its requests took. */
async function honest(agent: Agent, enough: (waits: Wait[]) => boolean): Promise<Wait[]> {
  const waits: Wait[] = [];
  while (!enough(waits)) {
    const before = usedMs();
    const { text, ms } = await send(server.url, { body: { query: QUERY }, agent });
    if (text !== expected) throw new Error(`Expected the same answer as before, got ${text}`);
    waits.push({ ms, used: usedMs() - before });
  }
  return waits;
}

t.test('each attack is refused or answered at once', async (t) => {
  const agent = keepAlive(t, 1);
  // Code that has never run is slow; what counts is what can be repeated.
  for (const sent of Object.values(ATTACKS)) await send(server.url, { ...sent, agent });
  for (const name of Object.keys(ATTACKS)) {
    let best = await cost(name, agent);
    for (let again = 0; again < 2 && best.used > LIMIT_MS / 2; again += 1) {
      const next = await cost(name, agent);
      if (next.used < best.used) best = next;
    }
    t.ok(best.used < LIMIT_MS, `${name}: ${best.used} ms`);
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
    const shown = [0.5, 0.99].map((at) => {
      const [before, meanwhile] = [calm, during].map((waits) =>
        quantile(
          waits.map(({ ms }) => ms),
          at,
        ),
      ) as [number, number];
      const ratio = (meanwhile / before).toFixed(1);
      return `p${at * 100} ${before.toFixed(1)} ms alone, ${meanwhile.toFixed(1)} ms meanwhile, ${ratio} times`;
    });
    t.comment(`A storm ${name}: ${shown.join('; ')}`);
    t.ok(during.length > 10, `${name}: ${during.length} honest requests were answered meanwhile`);
    // Two attackers may be before it.
    const waited = quantile(
      during.map(({ used }) => used),
      0.99,
    );
    t.ok(waited < 2 * LIMIT_MS, `for p99, the server had worked ${waited.toFixed(0)} ms`);
  }
  t.equal(server.exitCode(), null);
});
