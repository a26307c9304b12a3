import type { FastifyReply, FastifyRequest } from 'fastify';
import plugin from 'fastify-plugin';
import { RequestRefused } from '../errors/request-refused.ts';
import { isInspected } from './inspected.ts';
import type { RecordedStatements } from './recorded-statements.ts';

/** How `/graphiql/explain` gets plans; only in development. */
export interface ExplainOptions {
  readonly inspect: 'off' | 'header' | 'always';
  readonly statements: RecordedStatements;
  /** Explains a statement; `null` when the parameters do not fit. */
  readonly explain: (text: string, parameters: readonly unknown[]) => Promise<string[] | null>;
}

/**
 * Serves `POST /graphiql/explain`. The request has `{sql, parameters}` of an event that an inspected request showed; the answer has the
 * `{lines}` of the plan. The statement is not run. One that this process did not record is refused.
 */
export const explainPlugin = plugin<ExplainOptions>(
  async (app, { inspect, statements, explain }) => {
    await app.register(async (scope) => {
      scope.setErrorHandler((error, request, reply) => {
        if (error instanceof RequestRefused) return answer(reply, error.statusCode, { errors: error.publicErrors() });
        request.log.warn({ reason: String(error) }, 'a statement could not be explained');
        const message = 'The statement could not be explained. The log says why.';
        return answer(reply, 503, { errors: [{ message, extensions: { code: 'UNAVAILABLE' } }] });
      });
      scope.post('/graphiql/explain', async (request, reply) => {
        if (!isInspected(inspect, request)) {
          throw new RequestRefused(403, 'FORBIDDEN', 'Expected the header x-inspect: 1.');
        }
        const { sql, parameters } = readBody(request);
        const places = statements.placesOf(sql);
        if (places === null) {
          throw new RequestRefused(404, 'NOT_RECORDED', 'Expected a statement that this server has shown.');
        }
        const lines = places === parameters.length ? await explain(sql, parameters) : null;
        if (lines === null) {
          throw new RequestRefused(400, 'BAD_REQUEST', 'Expected parameters that fit the statement.');
        }
        return answer(reply, 200, { lines });
      });
    });
  },
  { name: 'larder-explain', fastify: '5.x' },
);

function readBody({ body }: FastifyRequest): {
  sql: string;
  parameters: readonly (string | number | boolean | null)[];
} {
  const { sql, parameters } = (typeof body === 'object' && body !== null ? body : {}) as Record<string, unknown>;
  if (typeof sql === 'string' && Array.isArray(parameters) && parameters.every(isScalar)) return { sql, parameters };
  throw new RequestRefused(400, 'BAD_REQUEST', 'Expected a JSON object with sql and an array of parameters.');
}

function isScalar(value: unknown): value is string | number | boolean | null {
  return value === null || ['string', 'number', 'boolean'].includes(typeof value);
}

function answer(reply: FastifyReply, status: number, body: object) {
  return reply.code(status).header('cache-control', 'no-store').send(body);
}
