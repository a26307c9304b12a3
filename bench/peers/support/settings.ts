/** What every peer gets from the runner. */
export const settings = {
  databaseUrl: variable('DATABASE_URL'),
  redisUrl: variable('REDIS_URL'),
  port: Number(variable('PORT')),
  /** How long a cache keeps what it has read. */
  ttlSeconds: Number(variable('CACHE_TTL_SECONDS')),
  host: '127.0.0.1',
};

function variable(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set: the runner starts this server.`);
  return value;
}
