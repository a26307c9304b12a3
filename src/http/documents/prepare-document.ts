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
import { publicMessage } from '../errors/public-message.ts';
import { RequestRefused } from '../errors/request-refused.ts';
import { conditionsOf } from './cut.ts';
import { LimitExceeded } from './limits.ts';
import type { Operation } from './operation.ts';
import { isLarge, parseWithinLimits, tokensOf } from './parse-document.ts';

/** One operation of a document, ready to run. */
export interface PreparedOperation extends Operation {
  readonly isMutation: boolean;
  /** Whether it asks for the schema itself. */
  readonly introspects: boolean;
  /** The variables that its selection depends on; `null` when it has no condition. */
  readonly conditions: readonly string[] | null;
  /** Whether its document is so large that copies of it should not be kept. */
  readonly isLarge: boolean;
}

/** A document that was parsed and is valid. */
export interface PreparedDocument {
  /** The operations by name; `''` for one without a name. Each is prepared when it is first asked for. */
  readonly operations: ReadonlyMap<string, () => PreparedOperation>;
  readonly tokens: number;
}

const NO_OPERATION = 'The document has no operation.';

/** Validation stops after so many errors. */
const MAX_ERRORS = 20;

/**
 * Parses and validates a document.
 *
 * @param schema the schema that it must be valid against
 * @param text the document
 * @returns its operations
 * @throws {RequestRefused} when it is invalid or too large
 */
export function prepareDocument(schema: GraphQLSchema, text: string): PreparedDocument {
  const document = parseText(text);
  const errors = validate(schema, document, undefined, { maxErrors: MAX_ERRORS, hideSuggestions: true });
  // graphql gives up when too many fields of the same name would have to be compared.
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
  const { operation } = definition;
  // A schema may have subscriptions for another server, too. Here nothing could send an event.
  if (operation === OperationTypeNode.SUBSCRIPTION || schema.getRootType(operation) == null) {
    const error = new GraphQLError(`This server has no ${operation}s.`, { nodes: definition });
    throw refused('GRAPHQL_VALIDATION_FAILED', [error]);
  }
  const fragments = document.definitions.filter(
    (node): node is FragmentDefinitionNode => node.kind === Kind.FRAGMENT_DEFINITION,
  );
  return {
    definition,
    fragments,
    isMutation: operation === OperationTypeNode.MUTATION,
    introspects: validate(schema, document, [NoSchemaIntrospectionCustomRule]).length > 0,
    conditions: conditionsOf({ definition, fragments }),
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

/**
 * @param document a document
 * @param operationName the name of its operation to run; `null` when it has only one
 * @returns the operation
 * @throws {RequestRefused} when there is no such operation, or no name where there are several
 */
export function selectOperation({ operations }: PreparedDocument, operationName: string | null): PreparedOperation {
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
  return new RequestRefused(400, 'OPERATION_NOT_FOUND', message, { wellFormed: true });
}

/**
 * @param error the limit that a document exceeds
 * @returns the refusal for the client
 */
export function limitExceeded({ message, limit }: LimitExceeded): RequestRefused {
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
