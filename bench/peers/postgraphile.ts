// PostGraphile V5 as its documentation sets it up: the Amber preset, served by Grafserv on Node's own HTTP server, without GraphiQL. It runs
// on Node 22, which it asks for. Lists of a campaign go through the join table, whose index has their order.
import { createServer } from 'node:http';
import { PgSimplifyInflectionPreset } from '@graphile/simplify-inflection';
import { postgraphile } from 'postgraphile';
import { makePgService } from 'postgraphile/adaptors/pg';
import { grafserv } from 'postgraphile/grafserv/node';
import { PostGraphileAmberPreset } from 'postgraphile/presets/amber';
import { settings } from './support/settings.ts';

const preset: GraphileConfig.Preset = {
  extends: [PostGraphileAmberPreset, PgSimplifyInflectionPreset],
  pgServices: [makePgService({ connectionString: settings.databaseUrl, schemas: ['public'] })],
  grafserv: { graphiql: false, watch: false },
  grafast: { explain: false },
};

const server = createServer();
server.on('error', (error) => {
  throw error;
});
const service = postgraphile(preset).createServ(grafserv);
await service.addTo(server);
server.listen(settings.port, settings.host);
