import type { FastifyInstance } from 'fastify';
import { createScope } from '../bodies/scope.ts';
import { checkSchema } from '../pothos/check-schema.ts';
import { Trace } from '../trace/trace.ts';
import { VERSION } from '../version.ts';
import { compressionPlugin } from './compression.ts';
import { loadTrustedDocuments } from './documents/trusted-documents.ts';
import { errorHandlerPlugin } from './errors/error-handler.ts';
import { graphqlPlugin } from './graphql/graphql.ts';
import { createGuard } from './guards/auth.ts';
import { allowPages, corsPlugin } from './guards/cors.ts';
import { refusedOriginsPlugin } from './guards/refused-origins.ts';
import { healthPlugin } from './health.ts';
import { explainPlugin } from './inspector/explain.ts';
import { graphiqlPlugin } from './inspector/graphiql/plugin.ts';
import { isInspected } from './inspector/inspected.ts';
import { RecordedStatements } from './inspector/recorded-statements.ts';
import { readJsonBodies } from './json-body.ts';
import { needPackages } from './optional-package.ts';
import { positionOf } from './position-header.ts';
import { requestIdPlugin } from './request-id.ts';
import { OTHER, requestStatePlugin, ServedContext, type StateFactory } from './request-state.ts';
import type { Settled } from './settle.ts';
import { metricsOf } from './telemetry/metrics-of.ts';
import { requestLogPlugin } from './telemetry/request-log.ts';
import { serverTimingPlugin } from './telemetry/server-timing.ts';
import { traceIdOf } from './telemetry/trace-context.ts';
import type { Tracing } from './telemetry/tracing.ts';
import { warnOfIndexes } from './warn-of-indexes.ts';

/**
 * Adds everything to an instance that is Larder's alone: its own server, or a part of another. What it opens is closed with the instance.
 *
 * @param app the instance
 * @param options what to serve, and how
 * @param ownsHost whether the whole server is Larder's; only then it speaks for the whole host
 * @throws {WrongValue} when an option needs a package that is missing, with the command to run
 */
export async function serveOn(app: FastifyInstance, options: Settled, ownsHost = false): Promise<void> {
  const { larder, limits, clock, inspect, development, documents: trusted } = options;
  checkSchema(options.schema, larder.repositories);
  const documents = loadTrustedDocuments(trusted.file, trusted.only);
  needOptionalPackages(options);
  const tracing = await openTracing(app, options);
  if (tracing?.plugin != null) await app.register(tracing.plugin);
  await app.register(requestIdPlugin);
  const { corsOrigins } = options;
  const replicated = larder.gauges.replicas() !== null;
  if (corsOrigins !== null) {
    await app.register(corsPlugin, { allow: allowPages(corsOrigins, replicated) });
    await app.register(refusedOriginsPlugin, { corsOrigins });
  }
  readJsonBodies(app);
  if (options.compression) await app.register(compressionPlugin);
  await app.register(errorHandlerPlugin);
  await app.register(requestStatePlugin);
  await app.register(requestLogPlugin, {
    ...options.log,
    channel: larder.channels.request,
    traceIdOf: tracing?.traceIdOf ?? ((request) => traceIdOf(request.headers)),
  });
  if (inspect !== 'off') await app.register(serverTimingPlugin);
  const stateOf: StateFactory = (request, reply) => {
    const inspected = isInspected(inspect, request);
    const trace = new Trace({
      recording: inspected,
      clock,
      channels: larder.channels,
      started: clock.now() - reply.elapsedTime,
      ownStatements: inspected || tracing !== null,
    });
    reply.raw.on('close', () => {
      trace.abandon();
    });
    const cold = inspected && request.headers['x-cache'] === 'bypass';
    const position = replicated ? positionOf(request.headers) : null;
    const scope = createScope(trace, cold, position);
    const context = new ServedContext(larder.repositories, scope, request.server, reply);
    const state = { context, scope, inspected, cost: null, operation: OTHER, bytes: null };
    request.larderState = state;
    return state;
  };
  const statements = development ? new RecordedStatements() : null;
  await app.register(graphqlPlugin, {
    schema: options.schema,
    context: options.context,
    guard: createGuard(options.auth, clock, limits.requestTimeoutMs),
    documents,
    maxCost: limits.maxCost,
    buckets: limits.rate === null ? null : larder.pointBuckets(limits.rate.perSecond, limits.rate.maximum),
    bodyLimit: limits.bodyBytes,
    requestTimeoutMs: limits.requestTimeoutMs,
    maxEventLoopDelayMs: limits.maxEventLoopDelayMs,
    introspection: options.introspection,
    corsOrigins,
    compression: options.compression,
    replicated,
    ownsHost,
    cacheControl: trusted.cacheControl,
    warnings: development,
    statements,
    apolloSchema: options.apolloTracing,
    stateOf,
    clock,
  });
  if (development) warnOfIndexes(app, larder);
  if (options.health) await app.register(healthPlugin, { health: larder.health, version: VERSION });
  if (options.metrics !== null) await addMetrics(app, options, options.metrics);
  if (options.graphiql === null) return;
  await app.register(graphiqlPlugin, options.graphiql);
  if (statements !== null && inspect !== 'off') {
    await app.register(explainPlugin, { inspect, statements, explain: larder.explain });
  }
}

/** Packages that only some servers need are installed by their owners. */
function needOptionalPackages({ graphiql, apolloTracing, tracing }: Settled): void {
  if (graphiql !== null) needPackages('graphiql (GRAPHIQL=true)', ['graphiql@3', 'react@18', 'react-dom@18']);
  if (apolloTracing !== null) {
    needPackages('apolloTracing (APOLLO_TRACING=true)', ['@apollo/usage-reporting-protobuf']);
  }
  if (tracing === true) needPackages('tracing', ['@opentelemetry/api@1.9']);
  else if (tracing !== null) {
    needPackages('tracing (OTEL_EXPORTER_OTLP_ENDPOINT)', [
      ...['@fastify/otel', '@opentelemetry/api@1.9', '@opentelemetry/exporter-trace-otlp-proto'],
      ...['@opentelemetry/resources', '@opentelemetry/sdk-trace-node'],
    ]);
  }
}

/** Loads the packages only where they are needed. */
async function openTracing(app: FastifyInstance, { tracing, larder: { channels } }: Settled): Promise<Tracing | null> {
  if (tracing === null) return null;
  const { joinTracing, startTracing } = await import('./telemetry/tracing.ts');
  const opened =
    tracing === true
      ? await joinTracing(channels)
      : await startTracing(tracing.endpoint, channels, (reason) =>
          app.log.warn({ reason }, 'traces could not be sent'),
        );
  app.addHook('onClose', opened.close);
  return opened;
}

/** Loads the packages only where they are needed. */
async function addMetrics(
  app: FastifyInstance,
  { larder }: Settled,
  { path, registry: given }: NonNullable<Settled['metrics']>,
): Promise<void> {
  const { openMetrics, serveMetrics } = await import('./telemetry/metrics.ts');
  const { registry, close } = openMetrics(metricsOf(larder), given ?? undefined);
  app.addHook('onClose', async () => close());
  if (path !== null) serveMetrics(app, path, registry);
}
