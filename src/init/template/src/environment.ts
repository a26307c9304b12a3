import { existsSync } from 'node:fs';

// A variable that is already set wins over the file.
if (existsSync('.env')) process.loadEnvFile();

const { DATABASE_URL, REDIS_URL = '', HOST = '127.0.0.1', PORT = '4000' } = process.env;
if (!DATABASE_URL) throw new Error('Set DATABASE_URL: see .env.example.');

export const environment = { databaseUrl: DATABASE_URL, redisUrl: REDIS_URL, host: HOST, port: Number(PORT) };
