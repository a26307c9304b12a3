import { createServer, stopOnSignals } from 'larder/fastify';
import { pino } from 'pino';
import { environment } from './environment.ts';
import { openLarder } from './larder.ts';
import { schema } from './schema.ts';

const logger = pino();
const larder = await openLarder(logger);
const app = await createServer({ larder, schema, logger });
app.addHook('onClose', () => larder.close());
await app.listen({ host: environment.host, port: environment.port });
stopOnSignals({ drain: () => app.drain(5000, 5000), close: () => app.close() }, { atMostMs: 15_000, log: logger });
