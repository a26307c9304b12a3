import type { Span, Tracer } from '@opentelemetry/api';
import type { FastifyPluginCallback, FastifyRequest } from 'fastify';
import type { Channels, RedisExchange, SqlExchange } from '../../trace/channels.ts';
import { pathOf, traceIdOf } from './trace-context.ts';

type Api = typeof import('@opentelemetry/api');

/** OpenTelemetry at work. */
export interface Tracing {
  /** Makes a span of every request; `null` where another plugin does. It has to be registered before everything else. */
  readonly plugin: FastifyPluginCallback | null;
  /** The trace id of a request's span; `null` when it has no span. */
  readonly traceIdOf: (request: FastifyRequest) => string | null;
  /** Sends what was recorded, and stops. */
  readonly close: () => Promise<void>;
}

/** How long the export may take at the end, in milliseconds. A collector that does not answer must not delay the end of the process. */
const EXPORT_TIMEOUT_MS = 3000;

/**
 * Starts to record traces and to send them by OTLP over HTTP. Each request has a span, which continues the caller's trace (`traceparent`).
 * Below it, each statement and each round trip to Redis has one. OpenTelemetry is loaded here, so a process without tracing pays nothing,
 * not even AsyncLocalStorage.
 *
 * OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES, OTEL_TRACES_SAMPLER and OTEL_EXPORTER_OTLP_HEADERS are OpenTelemetry's own.
 *
 * @param endpoint the collector's address, such as `http://127.0.0.1:4318`
 * @param channels the channels of the Larder whose statements and round trips are spans
 * @param onError told of failed exports
 * @returns the parts that the server needs
 */
export async function startTracing(
  endpoint: string,
  channels: Channels,
  onError: (message: string) => void,
): Promise<Tracing> {
  const [api, sdk, exporter, resources, otel] = await Promise.all([
    import('@opentelemetry/api'),
    import('@opentelemetry/sdk-trace-node'),
    import('@opentelemetry/exporter-trace-otlp-proto'),
    import('@opentelemetry/resources'),
    import('@fastify/otel'),
  ]);
  const { context, diag, trace } = api;
  const ignore = () => {};
  diag.setLogger(
    { error: onError, warn: ignore, info: ignore, debug: ignore, verbose: ignore },
    { logLevel: api.DiagLogLevel.ERROR, suppressOverrideMessage: true },
  );
  const provider = new sdk.NodeTracerProvider({
    resource: resources
      .resourceFromAttributes({ 'service.name': 'larder' })
      .merge(resources.detectResources({ detectors: [resources.envDetector] })),
    spanProcessors: [
      new sdk.BatchSpanProcessor(
        new exporter.OTLPTraceExporter({
          url: `${endpoint.replace(/\/$/, '')}/v1/traces`,
          timeoutMillis: EXPORT_TIMEOUT_MS,
        }),
      ),
    ],
  });
  // It registers the context manager and W3C Trace Context, too.
  provider.register();
  const instrumentation = new otel.FastifyOtelInstrumentation({
    // Hooks are not worth a span each, and an error's message may quote what a client sent.
    instrumentHooks: false,
    recordExceptions: false,
    ignorePaths: ({ url }) => url.startsWith('/healthz') || url.startsWith('/readyz'),
    // The default attribute would hold the query string, and with it variables.
    requestHook: (span: Span, request: FastifyRequest) => span.setAttribute('url.path', pathOf(request.url)),
  });
  instrumentation.setTracerProvider(provider);
  const stop = recordExchanges(channels, api, provider.getTracer('larder'));
  return {
    plugin: instrumentation.plugin(),
    traceIdOf: (request) => {
      const active = request.opentelemetry().context;
      return (active == null ? undefined : trace.getSpanContext(active))?.traceId ?? null;
    },
    close: async () => {
      stop();
      await provider.shutdown().catch((error: unknown) => onError(String(error)));
      trace.disable();
      context.disable();
      api.propagation.disable();
    },
  };
}

/** The Larders whose exchanges are added to the process' own traces, and for how many servers. */
const joined = new WeakMap<Channels, { servers: number; readonly stop: () => void }>();

/**
 * Adds spans to the traces of a process that has its own OpenTelemetry. Each statement and each round trip to Redis has one, below the span
 * in which a request is answered, however many servers the Larder has.
 *
 * @param channels the channels of the Larder whose statements and round trips are spans
 * @returns the parts that the server needs
 */
export async function joinTracing(channels: Channels): Promise<Tracing> {
  const api = await import('@opentelemetry/api');
  const recording = joined.get(channels) ?? {
    servers: 0,
    stop: recordExchanges(channels, api, api.trace.getTracer('larder')),
  };
  recording.servers += 1;
  joined.set(channels, recording);
  return {
    plugin: null,
    traceIdOf: ({ headers }) => api.trace.getActiveSpan()?.spanContext().traceId ?? traceIdOf(headers),
    close: async () => {
      recording.servers -= 1;
      if (recording.servers > 0) return;
      recording.stop();
      joined.delete(channels);
    },
  };
}

/** Makes spans of exchanges with the stores, until it is told to stop. */
function recordExchanges(
  channels: Channels,
  { context, trace, SpanKind, SpanStatusCode }: Api,
  tracer: Tracer,
): () => void {
  const record = (event: SqlExchange | RedisExchange, attributes: Record<string, string | number>) => {
    // Work that no request asked for, such as the upkeep of a connection, makes no trace of its own.
    if (trace.getSpan(context.active()) === undefined) return;
    const startTime = performance.timeOrigin + event.started;
    const span = tracer.startSpan(event.name, { kind: SpanKind.CLIENT, startTime, attributes });
    if (event.failed) span.setStatus({ code: SpanStatusCode.ERROR });
    span.end(startTime + event.ms);
  };
  const subscriptions = [
    channels.sql.subscribe((event) => {
      record(event, {
        'db.system.name': 'postgresql',
        'db.operation.name': event.name,
        'db.response.returned_rows': event.rows,
        ...(event.text === '' ? {} : { 'db.query.text': event.text }),
      });
    }),
    channels.redis.subscribe((event) => {
      record(event, { 'db.system.name': 'redis', 'db.operation.name': event.name, 'larder.keys': event.keys.length });
    }),
  ];
  return () => {
    for (const unsubscribe of subscriptions) unsubscribe();
  };
}
