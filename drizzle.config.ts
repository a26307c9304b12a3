import { defineConfig } from 'drizzle-kit';

export default defineConfig({
  dialect: 'postgresql',
  // The outbox is the library's, the other tables are the campaigns'.
  schema: ['./src/app/tables.ts', './src/outbox/schema.ts'],
  out: './drizzle',
});
