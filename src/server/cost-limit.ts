import type { GraphQLSchema } from 'graphql';
import { costOf, mostExpensivePath } from '../graphql/cost.ts';
import { MAX_NODES, nodeCount } from '../graphql/node-count.ts';
import type { PreparedOperation } from './documents.ts';
import { RequestRefused } from './request-refused.ts';

/**
 * Refuses what costs too much, before anything of it is executed.
 *
 * @param schema the schema
 * @param operation the operation
 * @param variables the coerced variables
 * @param maxCost how many points a request may cost
 * @returns what it costs
 * @throws {RequestRefused} COST_LIMIT, with the path to what should be made smaller
 */
export function checkCost(
  schema: GraphQLSchema,
  operation: PreparedOperation,
  variables: Record<string, unknown>,
  maxCost: number,
): number {
  const cost = costOf(schema, operation, variables);
  if (cost > maxCost) {
    const path = mostExpensivePath(schema, operation, variables);
    const message = `This costs ${cost} points, and at most ${maxCost} are allowed. Lower first or last of ${path.join('.')}, or of what it is in.`;
    throw new RequestRefused(400, 'COST_LIMIT', message, {
      wellFormed: true,
      extensions: { cost, limit: maxCost, path },
    });
  }
  const nodes = nodeCount(schema, operation, variables);
  if (nodes > MAX_NODES) {
    const message = `This may bring ${nodes} nodes, and at most ${MAX_NODES} are allowed. Lower first or last.`;
    throw new RequestRefused(400, 'NODE_LIMIT', message, { wellFormed: true, extensions: { nodes, limit: MAX_NODES } });
  }
  return cost;
}
