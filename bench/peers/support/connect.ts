import postgres from 'postgres';

/** Larder's driver, with its defaults, except that times come as text: a Date would lose microseconds. */
export function connectPostgres(url: string): postgres.Sql {
  return postgres(url, {
    onnotice: () => {},
    connection: { TimeZone: 'UTC', DateStyle: 'ISO, MDY' },
    types: { time: { to: 1184, from: [1184], serialize: String, parse: (value: string) => value } },
  });
}
