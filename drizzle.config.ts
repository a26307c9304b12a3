import { defineConfig } from 'drizzle-kit';

export default defineConfig({
  dialect: 'postgresql',
  // Larder's own tables are not here: `larder/migrate` makes them, and drizzle-kit must leave them alone.
  schema: './src/app/tables.ts',
  tablesFilter: ['!cache_*'],
  out: './drizzle',
});
