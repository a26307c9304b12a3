// src/migrate.ts
import { migrate } from 'larder/migrate';

await migrate({ postgres: { url: process.env.DATABASE_URL ?? '' }, log: console.log });
