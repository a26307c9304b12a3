import { fileURLToPath } from 'node:url';
import { migrate } from 'larder/migrate';
import { environment } from './environment.ts';

await migrate({
  postgres: { url: environment.databaseUrl },
  migrations: fileURLToPath(new URL('../drizzle', import.meta.url)),
  log: console.log,
});
