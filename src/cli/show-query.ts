/** The shape of `extensions.dataFetching` on a response. */
interface DataFetching {
  readonly sql: { readonly statements: number; readonly ms: number };
  readonly redis: { readonly commands: number; readonly ms: number };
  readonly cache: Readonly<Record<string, { readonly hits: number; readonly misses: number }>>;
}

interface Response {
  readonly data?: unknown;
  readonly errors?: readonly { readonly message: string }[];
  readonly extensions?: { readonly dataFetching?: DataFetching };
}

const HEADINGS = ['', 'SQL statements', 'Redis commands', 'hits', 'misses', 'SQL ms', 'Redis ms', 'request ms'];

/** The server did not answer the query. */
export class QueryError extends Error {
  override name = 'QueryError';
}

/**
 * Runs a query several times, and reports what each run did to Postgres and Redis.
 *
 * @param url the address of /graphql, on a server that shows its data fetching
 * @param query the GraphQL document
 * @param runs the names of the runs, such as `['cold', 'warm']`
 * @param token the bearer's token; `null` for none
 * @returns the lines of a table
 * @throws {QueryError} with the server's answer, when it is not the data
 */
export async function showQuery(
  url: string,
  query: string,
  runs: readonly string[],
  token: string | null,
): Promise<string[]> {
  const rows: string[][] = [HEADINGS];
  for (const run of runs) rows.push([run, ...(await measure(url, query, token))]);
  const widths = HEADINGS.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  '),
  );
}

async function measure(url: string, query: string, token: string | null): Promise<string[]> {
  const started = performance.now();
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-inspect': '1',
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify({ query }),
  });
  const text = await response.text();
  const ms = performance.now() - started;
  if (!(response.headers.get('content-type') ?? '').includes('json')) {
    throw new QueryError(`${url} answered ${response.status} and not in JSON:\n${text.slice(0, 500)}`);
  }
  const { errors, extensions } = JSON.parse(text) as Response;
  if (errors !== undefined) {
    throw new QueryError(`The query failed:\n${errors.map(({ message }) => `  ${message}`).join('\n')}`);
  }
  const fetching = extensions?.dataFetching;
  if (fetching === undefined) return ['?', '?', '?', '?', '?', '?', ms.toFixed(1)];
  const entities = Object.values(fetching.cache);
  return [
    String(fetching.sql.statements),
    String(fetching.redis.commands),
    String(entities.reduce((sum, { hits }) => sum + hits, 0)),
    String(entities.reduce((sum, { misses }) => sum + misses, 0)),
    fetching.sql.ms.toFixed(1),
    fetching.redis.ms.toFixed(1),
    ms.toFixed(1),
  ];
}
