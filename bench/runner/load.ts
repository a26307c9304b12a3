import autocannon from 'autocannon';
import type { Request } from './queries.ts';

/** A load to put on a server. */
export interface Load {
  readonly url: string;
  readonly connections: number;
  readonly seconds: number;
  /** What each connection asks, over and over; the n-th connection gets the n-th list. */
  readonly requests: readonly (readonly Request[])[];
}

/** What came of it. */
export interface Outcome {
  /** How many requests were answered, and how many were sent: some are under way at the end. */
  readonly answered: number;
  readonly sent: number;
  readonly perSecond: number;
  /** In milliseconds. */
  readonly p50: number;
  readonly p99: number;
  /** Answers that were not 200 with data, and requests without an answer. */
  readonly errors: number;
  /** How many requests were answered in each second. */
  readonly eachSecond: readonly number[];
}

/** A request that is not answered within so many seconds counts as an error. */
const TIMEOUT_SECONDS = 10;

/** Every GraphQL server answers errors under this key, and no text of the sample data holds it. */
const ERRORS = '"errors":';

/** autocannon looks so often whether it is to stop, in milliseconds. */
const STOP_INTERVAL_MS = 50;

/**
 * Puts a load on a server: every connection sends its next request when the one before is answered. autocannon sends and
 * receives; time is counted here, because it begins its own before it has built its requests, and ends it at full seconds.
 *
 * @param load the load
 * @returns how the server did
 */
export async function run({ url, connections, seconds, requests }: Load): Promise<Outcome> {
  const times: number[] = [];
  const eachSecond = Array.from({ length: Math.ceil(seconds) }, () => 0);
  let started = Number.POSITIVE_INFINITY;
  let wrong = 0;
  let opened = 0;
  const result = await new Promise<autocannon.Result>((resolve, reject) => {
    const instance = autocannon(
      {
        url,
        connections,
        duration: seconds + 3600,
        timeout: TIMEOUT_SECONDS,
        sampleInt: STOP_INTERVAL_MS,
        setupClient: (connection) => {
          const list = requests[opened % requests.length] ?? [];
          opened += 1;
          connection.setRequests(list.map(asAutocannon));
        },
        verifyBody: (body) => {
          if (!String(body).includes(ERRORS)) return true;
          wrong += 1;
          return false;
        },
      },
      (error: unknown, done) => (error == null ? resolve(done) : reject(error)),
    );
    instance.on('start', () => {
      started = performance.now();
      setTimeout(() => instance.stop(), seconds * 1000);
    });
    instance.on('response', (_client, _status, _bytes, milliseconds) => {
      const second = Math.floor((performance.now() - started) / 1000);
      // What is answered after the end belongs to nothing.
      if (performance.now() - started > seconds * 1000) return;
      times.push(milliseconds);
      eachSecond[second] = (eachSecond[second] ?? 0) + 1;
    });
  });
  times.sort((a, b) => a - b);
  return {
    answered: times.length,
    sent: result.requests.sent,
    perSecond: times.length / seconds,
    p50: quantile(times, 0.5),
    p99: quantile(times, 0.99),
    errors: result.errors + result.non2xx + wrong,
    eachSecond,
  };
}

function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

function asAutocannon({ method, path, headers, body }: Request): autocannon.Request {
  return {
    method,
    path,
    headers: { ...headers },
    ...(body === undefined ? {} : { body }),
  };
}
