import { setTimeout as sleep } from 'node:timers/promises';

/** What is asked of a server for the dashboard to show something. */
export interface TrafficOptions {
  /** Where GraphQL is. */
  readonly url: string;
  /** A bearer token that may write; without it nothing is written. */
  readonly token: string | null;
  readonly seconds: number;
}

/** Asks at a time. */
const CLIENTS = 3;
const PAUSE_MS = 100;
/** In this part of the time some requests pass the caches by. */
const COLD = { from: 0.55, to: 0.7 };

const PAGE = `query Page($after: String) {
  campaigns(first: 5, after: $after) { nodes { title brand { name } events(first: 2) { nodes { title } } } }
}`;
const NODE = 'query Node($id: ID!) { node(id: $id) { id ... on Event { title } } }';
const RENAME = `mutation Rename($id: ID!, $title: String!) {
  updateEvent(input: { id: $id, title: $title }) { event { title } }
}`;

/**
 * Asks for random pages and single events, some of which do not exist; for a while past the caches; and writes now and then.
 *
 * @param options where, and for how long
 * @throws when the server answers with an error
 */
export async function makeTraffic({ url, token, seconds }: TrafficOptions): Promise<void> {
  const ask = asker(url);
  const first = await ask('{ campaigns(first: 100) { edges { cursor } } }', {}, {});
  const cursors = (first.campaigns as { edges: { cursor: string }[] }).edges.map(({ cursor }) => cursor);
  const started = performance.now();
  const elapsed = () => (performance.now() - started) / 1000 / seconds;
  const client = async () => {
    for (let i = 0; elapsed() < 1; i += 1) {
      const cold = elapsed() > COLD.from && elapsed() < COLD.to && i % 2 === 0;
      const headers = cold ? { 'x-inspect': '1', 'x-cache': 'bypass' } : {};
      await ask(PAGE, { after: among(cursors) }, headers);
      // One id in ten names nothing.
      await ask(NODE, { id: eventId(Math.random() < 0.1 ? 1_000_000 + (i % 10) : random(200)) }, headers);
      if (token !== null && i % 5 === 0) {
        await ask(RENAME, { id: eventId(random(200)), title: `Renamed ${i}` }, { authorization: `Bearer ${token}` });
      }
      await sleep(PAUSE_MS);
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
}

function asker(url: string) {
  return async (query: string, variables: object, headers: Record<string, string>) => {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ query, variables }),
    });
    const { data, errors } = (await response.json()) as { data?: Record<string, unknown>; errors?: unknown };
    if (data === undefined || errors !== undefined) throw new Error(`${response.status} ${JSON.stringify(errors)}`);
    return data;
  };
}

function eventId(id: number): string {
  return Buffer.from(`Event:${id}`).toString('base64');
}

/** From 1 to the most. */
function random(most: number): number {
  return 1 + Math.floor(Math.random() * most);
}

function among<T>(list: readonly T[]): T | undefined {
  return list[random(list.length) - 1];
}
