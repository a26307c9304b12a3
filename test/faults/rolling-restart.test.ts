import { Agent, request } from 'node:http';
import { type Test, t } from 'tap';
import { makeData } from '../support/data.ts';
import { portForLater } from '../support/port.ts';
import { openSql } from '../support/server.ts';
import { freshDatabase, freshRedis } from '../support/services.ts';
import { until } from '../support/until.ts';
import { type LarderChild, PATIENT, startLarder } from './support/larder.ts';
import { startLoadBalancer } from './support/load-balancers.ts';

const SERVERS = 4;
const CLIENTS = 8;

const BODY = JSON.stringify({
  query: '{ campaigns(first: 5) { nodes { title events(first: 2) { nodes { title } } } } }',
});

/** Clients that ask again and again. */
class Load {
  answered = 0;
  /** What was not answered as it should be. */
  readonly lost: unknown[] = [];
  #stopped = false;
  readonly #done: Promise<unknown>;

  /** @param url whom they ask, each on one connection for as long as it lasts */
  constructor(url: string) {
    this.#done = Promise.all(Array.from({ length: CLIENTS }, () => this.#client(url)));
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#done;
  }

  async #client(url: string): Promise<void> {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    while (!this.#stopped) {
      const failure = await ask(url, agent);
      if (failure === null) this.answered += 1;
      else this.lost.push(failure);
      // Not so fast that the servers would be all that the machine does.
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 20));
    }
    agent.destroy();
  }
}

/** @returns why there was no answer such as there should be; `null` when there was */
function ask(url: string, agent: Agent): Promise<unknown> {
  return new Promise((resolve) => {
    const headers = { 'content-type': 'application/json', 'content-length': BODY.length };
    const sent = request(`${url}/graphql`, { method: 'POST', agent, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.once('error', resolve);
      response.once('end', () => {
        const whole = response.statusCode === 200 && JSON.parse(text).data?.campaigns.nodes.length === 5;
        resolve(whole ? null : { status: response.statusCode, text: text.slice(0, 200) });
      });
    });
    sent.once('error', resolve);
    sent.end(BODY);
  });
}

async function freePorts(): Promise<number[]> {
  const ports: number[] = [];
  while (ports.length < SERVERS) ports.push(await portForLater());
  return ports;
}

/** Starts the servers, and answers what starts one of them, which answers then. */
async function openServers(t: Test, ports: readonly number[]) {
  const [database, redis] = await Promise.all([freshDatabase(t), freshRedis(t)]);
  await makeData(openSql(t, database), { brands: 5, campaigns: 50, events: 200, perCampaign: 10 });
  const start = async (port: number | undefined) => {
    const env = { DATABASE_URL: database.url, REDIS_URL: redis.url, INSPECT: 'off', SHUTDOWN_DELAY_MS: '5000' };
    const larder = await startLarder(t, { ...env, ...PATIENT, PORT: String(port) });
    await until('it is ready', async () => (await larder.get('/readyz')).status === 200);
    return larder;
  };
  const servers: LarderChild[] = await Promise.all(ports.map(start));
  return { start, servers };
}

t.test('four servers that are restarted one after the other behind nginx and HAProxy lose no request', async (t) => {
  const ports = await freePorts();
  const { start, servers } = await openServers(t, ports);
  const proxies = {
    nginx: await startLoadBalancer(t, 'nginx', ports),
    haproxy: await startLoadBalancer(t, 'haproxy', ports),
  };
  const loads = Object.entries(proxies).map(([name, { url }]) => ({ name, load: new Load(url) }));
  const goOn = async (what: string) => {
    const before = loads.map(({ load }) => load.answered);
    await until(what, async () => loads.every(({ load }, i) => load.answered > (before[i] ?? 0) + 10 * CLIENTS));
  };
  await goOn('all are at it');
  for (const [i, server] of servers.entries()) {
    server.kill('SIGTERM');
    t.equal(await server.ended, 'exit code 0');
    servers[i] = await start(ports[i]);
    await goOn('it goes on');
  }
  for (const { name, load } of loads) {
    await load.stop();
    t.same(load.lost.slice(0, 3), [], `${name} has lost none of ${load.answered + load.lost.length} requests`);
  }
  t.notMatch(proxies.nginx.output(), /recv\(\) failed|prematurely closed/, 'no connection broke under nginx');
});
