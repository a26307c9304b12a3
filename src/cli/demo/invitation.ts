/** What a demo has to show. */
export interface Demo {
  readonly url: string;
  readonly metricsUrl: string;
  readonly databaseUrl: string;
  /** `null` when there is no Redis. */
  readonly redisUrl: string | null;
  /** The environment of the process. URLs that it names are the reader's own, and are not printed. */
  readonly given: Readonly<Record<string, string | undefined>>;
  /** `null` when the demo has none. */
  readonly token: string | null;
  readonly inspect: 'off' | 'header' | 'always';
}

const INSPECT = {
  always:
    'It runs with INSPECT=always: every answer says in `extensions` what it cost. In production the default is INSPECT=off.',
  header: 'It runs with INSPECT=header: answers to requests with `x-inspect: 1` say in `extensions` what they cost.',
  off: 'It runs with INSPECT=off: answers do not say what they cost.',
};

/**
 * Says where everything is, and what to try.
 *
 * @param demo the running demo
 * @returns the lines
 */
export function invitation({ url, metricsUrl, databaseUrl, redisUrl, given, token, inspect }: Demo): string[] {
  const psql = `psql ${given.DATABASE_URL ? '"$DATABASE_URL"' : databaseUrl}`;
  const redisCli = redisUrl === null ? 'none runs' : `redis-cli -u ${given.REDIS_URL ? '"$REDIS_URL"' : redisUrl}`;
  return [
    '',
    `  Page      ${url}/`,
    `  GraphiQL  ${url}/graphiql`,
    `  GraphQL   ${url}/graphql`,
    `  Metrics   ${metricsUrl}`,
    `  Postgres  ${psql}`,
    `  Redis     ${redisCli}`,
    '',
    'Three things to try:',
    '',
    `  1. Open ${url}/: a page by Relay. Load more, add an event, and watch what each request costs.`,
    '  2. Change a row past the server, then reload the page: no list shows the old title. Without psql, its button does the same.',
    `       ${psql} -c "update campaigns set title = 'Changed by psql' where id = 1"`,
    `  3. Open ${url}/graphiql, and click Run cold, then Run warm.`,
    '',
    INSPECT[inspect],
    ...(token === null
      ? []
      : [
          '',
          'Mutations need a token. This one lasts a day, for this demo alone. In GraphiQL, put this line under Headers:',
          '',
          `{ "authorization": "Bearer ${token}" }`,
        ]),
  ];
}
