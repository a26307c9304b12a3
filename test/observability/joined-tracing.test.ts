import { trace } from '@opentelemetry/api';
import { InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node';
import Fastify from 'fastify';
import { t } from 'tap';
import { larderFastify } from '../../src/http/index.ts';
import { createLarder } from '../../src/index.ts';
import { entities, fillLibrary, librarySchema } from '../kit/library.ts';
import { freshDatabase } from '../support/services.ts';
import { openSql } from '../support/stores.ts';

t.test('a Larder that is registered twice has one span for each statement, until the last is closed', async (t) => {
  const database = await freshDatabase(t);
  await fillLibrary(openSql(t, database), 1, 1);
  const larder = await createLarder({ entities, postgres: { url: database.url } });
  const exporter = new InMemorySpanExporter();
  const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  provider.register();
  t.teardown(async () => {
    await larder.close();
    await provider.shutdown();
  });
  const schema = librarySchema();
  const serve = async () => {
    const app = Fastify();
    t.teardown(() => app.close());
    await app.register(larderFastify, { larder, schema, tracing: true, limits: { maxEventLoopDelayMs: 0 } });
    return app;
  };
  const [one, two] = [await serve(), await serve()];
  const spans = async (app: typeof one) => {
    exporter.reset();
    await trace.getTracer('test').startActiveSpan('request', async (span) => {
      await app.inject({ method: 'POST', url: '/graphql', payload: { query: '{ authors(first: 1) { totalCount } }' } });
      span.end();
    });
    return exporter.getFinishedSpans().filter(({ name }) => name.startsWith('Author')).length;
  };
  t.equal(await spans(two), 1);
  await one.close();
  t.equal(await spans(two), 1, 'the other goes on');
  await two.close();
});
