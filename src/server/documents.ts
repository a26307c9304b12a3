import {
  type DocumentNode,
  type FragmentDefinitionNode,
  GraphQLError,
  type GraphQLSchema,
  Kind,
  NoSchemaIntrospectionCustomRule,
  OperationTypeNode,
  parse,
  separateOperations,
  validate,
} from 'graphql';
import { LRUCache } from 'lru-cache';
import type { Operation } from '../graphql/cost.ts';
import { checkLimits, LIMITS, LimitExceeded } from '../graphql/limits.ts';
import { RequestRefused } from './request-refused.ts';

/** One operation of a document, ready to run. */
export interface PreparedOperation extends Operation {
  /** A document with this operation alone: the same object each time, which is what compiled queries are kept by. */
  readonly document: DocumentNode;
  readonly isMutation: boolean;
  /** Whether it asks for the schema itself. */
  readonly introspects: boolean;
}

/** A document that was parsed and is valid, by the names of its operations; `''` for one without a name. */
type Prepared = ReadonlyMap<string, PreparedOperation>;

/** How much text of documents, good and bad ones apart, is remembered, in characters. */
const REMEMBERED = 8_000_000;

/** Validation stops after so many errors. */
const MAX_ERRORS = 20;

/**
 * Parses and validates documents, each once as long as it is remembered.
 *
 * @param schema what documents must be valid against
 * @returns finds the operation to run in a document's text
 */
export function createDocuments(schema: GraphQLSchema) {
  const options = { maxSize: REMEMBERED, sizeCalculation: (_value: unknown, text: string) => text.length + 1 };
  const good = new LRUCache<string, Prepared>(options);
  // Bad documents are remembered apart, so that a stream of them does not push the good ones out.
  const bad = new LRUCache<string, RequestRefused>(options);

  /**
   * @param text the document
   * @param operationName which of its operations; `null` when it has only one
   * @returns the operation
   * @throws {RequestRefused} when the document is not valid, too large, or has no such operation
   */
  return (text: string, operationName: string | null): PreparedOperation => {
    let prepared = good.get(text);
    if (prepared === undefined) {
      const known = bad.get(text);
      if (known !== undefined) throw known;
      try {
        prepared = prepare(schema, text);
      } catch (error) {
        if (error instanceof RequestRefused) bad.set(text, error);
        throw error;
      }
      good.set(text, prepared);
    }
    return select(prepared, operationName);
  };
}

function prepare(schema: GraphQLSchema, text: string): Prepared {
  const document = parseWithinLimits(text);
  const errors = validate(schema, document, undefined, { maxErrors: MAX_ERRORS });
  if (errors.length > 0) throw refused('GRAPHQL_VALIDATION_FAILED', errors);
  const operations = new Map<string, PreparedOperation>();
  for (const [name, separate] of Object.entries(separateOperations(document))) {
    const definition = separate.definitions.find((node) => node.kind === Kind.OPERATION_DEFINITION);
    if (definition === undefined) continue;
    operations.set(name, {
      document: separate,
      definition,
      fragments: separate.definitions.filter(
        (node): node is FragmentDefinitionNode => node.kind === Kind.FRAGMENT_DEFINITION,
      ),
      isMutation: definition.operation === OperationTypeNode.MUTATION,
      introspects: validate(schema, separate, [NoSchemaIntrospectionCustomRule]).length > 0,
    });
  }
  return operations;
}

function parseWithinLimits(text: string): DocumentNode {
  try {
    const document = parse(text, { maxTokens: LIMITS.tokens });
    checkLimits(document);
    return document;
  } catch (error) {
    if (error instanceof LimitExceeded) throw tooLarge(error.message, error.limit);
    // The parser follows nesting by recursion: what is too deep for the stack is too deep for us.
    if (error instanceof RangeError) throw tooLarge('Expected a document that is less deep.', 'depth');
    if (!(error instanceof GraphQLError)) throw error;
    if (error.message.includes('tokens')) throw tooLarge(`Expected at most ${LIMITS.tokens} tokens.`, 'tokens');
    throw refused('GRAPHQL_PARSE_FAILED', [error]);
  }
}

function select(prepared: Prepared, operationName: string | null): PreparedOperation {
  if (operationName !== null) {
    const operation = prepared.get(operationName);
    if (operation !== undefined) return operation;
    throw new RequestRefused(400, 'OPERATION_NOT_FOUND', 'The document has no operation of that name.');
  }
  const [first, ...others] = prepared.values();
  if (first === undefined) throw new RequestRefused(400, 'OPERATION_NOT_FOUND', 'The document has no operation.');
  if (others.length > 0) {
    throw new RequestRefused(
      400,
      'OPERATION_NOT_FOUND',
      'The document has several operations: say which by operationName.',
    );
  }
  return first;
}

function tooLarge(message: string, limit: string): RequestRefused {
  const details = { wellFormed: true, extensions: { limit } };
  return new RequestRefused(400, 'DOCUMENT_TOO_LARGE', message, details);
}

function refused(code: string, errors: readonly GraphQLError[]): RequestRefused {
  return new RequestRefused(400, code, 'The document is not valid.', {
    wellFormed: true,
    errors: errors.map(({ message, locations }) => ({
      message,
      ...(locations === undefined ? {} : { locations }),
      extensions: { code },
    })),
  });
}
