import {
  type DocumentNode,
  type FragmentDefinitionNode,
  GraphQLError,
  type GraphQLSchema,
  Kind,
  NoSchemaIntrospectionCustomRule,
  OperationTypeNode,
  separateOperations,
  validate,
} from 'graphql';
import { LRUCache } from 'lru-cache';
import type { Operation } from '../graphql/cost.ts';
import { isConditional } from '../graphql/included.ts';
import { LIMITS, LimitExceeded } from '../graphql/limits.ts';
import { withinTime } from './deadline.ts';
import { isLarge, parseWithinLimits, tokensOf } from './parse-document.ts';
import { publicMessage } from './public-message.ts';
import { RequestRefused } from './request-refused.ts';
import { unavailable } from './send-error.ts';
import { createTurns } from './turns.ts';

/** One operation of a document, ready to run. */
export interface PreparedOperation extends Operation {
  /** A document with this operation alone: the same object each time, which is what compiled queries are kept by. */
  readonly document: DocumentNode;
  readonly isMutation: boolean;
  /** Whether it asks for the schema itself. */
  readonly introspects: boolean;
  /** Whether what it selects depends on variables. */
  readonly isConditional: boolean;
  /** Whether its document is so large that copies of it should not be kept. */
  readonly isLarge: boolean;
}

/** A document that was parsed and is valid. */
interface Prepared {
  /** By the names of the operations; `''` for one without a name. Each is made ready when it is first asked for. */
  readonly operations: ReadonlyMap<string, () => PreparedOperation>;
  readonly tokens: number;
}

/** How much memory documents, good and bad ones apart, may take while they are remembered, in bytes, roughly. */
const REMEMBERED_BYTES = 64_000_000;

/** What a token comes to when it is part of a syntax tree, and what a bad document's errors come to; measured. */
const TOKEN_BYTES = 300;
const ERRORS_BYTES = 8_000;

/** New documents that may wait to be looked at: seconds' worth of the worst. */
const MAX_WAITING = 64;

const NO_OPERATION = 'The document has no operation.';

/** Validation stops after so many errors. */
const MAX_ERRORS = 20;

/**
 * Parses and validates documents, each once as long as it is remembered. New ones are looked at one a turn of the
 * event loop: whoever's document is known waits for one of them at a time, however many came in together.
 *
 * @param schema what documents must be valid against
 * @param timeoutMs how long a request waits for its document at most, in milliseconds
 * @returns finds the operation to run in a document's text
 */
export function createDocuments(schema: GraphQLSchema, timeoutMs: number) {
  const good = new LRUCache<string, Prepared>({
    maxSize: REMEMBERED_BYTES,
    sizeCalculation: ({ tokens }, text) => 2 * text.length + tokens * TOKEN_BYTES + 1,
  });
  // Bad documents are remembered apart, so that a stream of them does not push the good ones out.
  const bad = new LRUCache<string, RequestRefused>({
    maxSize: REMEMBERED_BYTES,
    sizeCalculation: (_error, text) => 2 * text.length + ERRORS_BYTES,
  });

  // Another map whenever none waits: what was in one that changes so often may stay until the next full collection (see draining.ts).
  let waiting = new Map<string, Promise<Prepared>>();
  const inTurn = createTurns();

  const prepareInTurn = async (text: string): Promise<Prepared> => {
    try {
      const prepared = await inTurn(() => prepare(schema, text));
      good.set(text, prepared);
      return prepared;
    } catch (error) {
      if (error instanceof RequestRefused) bad.set(text, error);
      throw error;
    } finally {
      waiting.delete(text);
      if (waiting.size === 0) waiting = new Map();
    }
  };

  /**
   * @param text the document
   * @param operationName which of its operations; `null` when it has only one
   * @returns the operation
   * @throws {RequestRefused} when the document is not valid, too large, or has no such operation; 503 when too many others
   *   wait to be looked at, or for too long
   */
  return async (text: string, operationName: string | null): Promise<PreparedOperation> => {
    // Before it is even looked up.
    if (text.length > LIMITS.characters) throw limitExceeded(new LimitExceeded('characters', text.length));
    const known = good.get(text);
    if (known !== undefined) return select(known, operationName);
    const refusal = bad.get(text);
    if (refusal !== undefined) throw refusal;
    let prepared = waiting.get(text);
    if (prepared === undefined) {
      if (waiting.size >= MAX_WAITING) throw unavailable('The service is too busy. Try again.');
      prepared = prepareInTurn(text);
      waiting.set(text, prepared);
    }
    return select(await withinTime(timeoutMs, prepared), operationName);
  };
}

function prepare(schema: GraphQLSchema, text: string): Prepared {
  const document = parseText(text);
  const errors = validate(schema, document, undefined, { maxErrors: MAX_ERRORS, hideSuggestions: true });
  // Graphql gives up when fields of the same name are too many to compare each with each.
  if (errors.some(({ message }) => message === 'Validation aborted.')) {
    throw tooLarge('Expected fewer fields of the same name.', 'comparisons');
  }
  if (errors.length > 0) throw refused('GRAPHQL_VALIDATION_FAILED', errors);
  const operations = new Map<string, () => PreparedOperation>();
  for (const [name, separate] of Object.entries(separateOperations(document))) {
    let ready: PreparedOperation | null = null;
    operations.set(name, () => {
      ready ??= prepareOperation(schema, separate, isLarge(text, document));
      return ready;
    });
  }
  return { operations, tokens: tokensOf(document) };
}

function prepareOperation(schema: GraphQLSchema, document: DocumentNode, large: boolean): PreparedOperation {
  const definition = document.definitions.find((node) => node.kind === Kind.OPERATION_DEFINITION);
  if (definition === undefined) throw notFound(NO_OPERATION);
  if (schema.getRootType(definition.operation) == null) {
    const error = new GraphQLError(`This server has no ${definition.operation}s.`, { nodes: definition });
    throw refused('GRAPHQL_VALIDATION_FAILED', [error]);
  }
  const fragments = document.definitions.filter(
    (node): node is FragmentDefinitionNode => node.kind === Kind.FRAGMENT_DEFINITION,
  );
  return {
    document,
    definition,
    fragments,
    isMutation: definition.operation === OperationTypeNode.MUTATION,
    introspects: validate(schema, document, [NoSchemaIntrospectionCustomRule]).length > 0,
    isConditional: isConditional({ definition, fragments }),
    isLarge: large,
  };
}

function parseText(text: string): DocumentNode {
  try {
    return parseWithinLimits(text);
  } catch (error) {
    if (error instanceof LimitExceeded) throw limitExceeded(error);
    if (error instanceof GraphQLError) throw refused('GRAPHQL_PARSE_FAILED', [error]);
    throw error;
  }
}

function select({ operations }: Prepared, operationName: string | null): PreparedOperation {
  if (operationName !== null) {
    const operation = operations.get(operationName);
    if (operation !== undefined) return operation();
    throw notFound('The document has no operation of that name.');
  }
  const [first, ...others] = operations.values();
  if (first === undefined) throw notFound(NO_OPERATION);
  if (others.length > 0) throw notFound('The document has several operations: say which by operationName.');
  return first();
}

function notFound(message: string): RequestRefused {
  return new RequestRefused(400, 'OPERATION_NOT_FOUND', message);
}

function limitExceeded({ message, limit }: LimitExceeded): RequestRefused {
  return tooLarge(message, limit);
}

function tooLarge(message: string, limit: string): RequestRefused {
  return new RequestRefused(400, 'DOCUMENT_TOO_LARGE', message, { wellFormed: true, extensions: { limit } });
}

function refused(code: string, errors: readonly GraphQLError[]): RequestRefused {
  return new RequestRefused(400, code, 'The document is not valid.', {
    wellFormed: true,
    errors: errors.map((error) => ({
      message: publicMessage(error),
      ...(error.locations && { locations: error.locations }),
      extensions: { code },
    })),
  });
}
