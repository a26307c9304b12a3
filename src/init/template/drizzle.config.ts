import { defineConfig } from 'drizzle-kit';

export default defineConfig({
  dialect: 'postgresql',
  schema: './src/tables.ts',
  // Larder's own tables are made by `npm run migrate`.
  tablesFilter: ['!cache_*'],
  out: './drizzle',
});
