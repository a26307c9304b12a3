import type { GraphQLSchema } from 'graphql';
import { LRUCache } from 'lru-cache';
import type { Clock } from '../../clock.ts';
import { RequestRefused } from '../errors/request-refused.ts';
import { unavailable } from '../errors/send-error.ts';
import { withinTime } from '../guards/deadline.ts';
import { createTurns } from '../guards/turns.ts';
import { LIMITS, LimitExceeded } from './limits.ts';
import {
  limitExceeded,
  type PreparedDocument,
  type PreparedOperation,
  prepareDocument,
  selectOperation,
} from './prepare-document.ts';

/** How much memory remembered documents may take, in bytes, roughly. Valid and invalid ones have this limit each. */
const REMEMBERED_BYTES = 64_000_000;

/** How many bytes a token takes as part of a syntax tree, and an invalid document's errors take; measured. */
const TOKEN_BYTES = 300;
const ERRORS_BYTES = 8_000;

/** The most new documents that wait to be parsed. The slowest ones would take seconds. */
const MAX_WAITING = 64;

/**
 * Parses and validates documents, each once while it is remembered. In a turn of the event loop it takes one new document. So a request
 * with a known document waits for one new document at a time, however many came at once.
 *
 * @param schema the schema that documents must be valid against
 * @param timeoutMs how long a request waits for its document at most, in milliseconds
 * @param clock the time
 * @returns finds the operation to run in a document's text
 */
export function createDocuments(schema: GraphQLSchema, timeoutMs: number, clock: Clock) {
  const good = new LRUCache<string, PreparedDocument>({
    maxSize: REMEMBERED_BYTES,
    sizeCalculation: ({ tokens }, text) => 2 * text.length + tokens * TOKEN_BYTES + 1,
  });
  // Invalid documents have a cache of their own, so that a stream of them does not evict valid ones.
  const bad = new LRUCache<string, RequestRefused>({
    maxSize: REMEMBERED_BYTES,
    sizeCalculation: (_error, text) => 2 * text.length + ERRORS_BYTES,
  });

  // A new map whenever none waits. The former tables of a map that changes often stay in memory until the next full collection (see
  // connections.ts).
  let waiting = new Map<string, Promise<PreparedDocument>>();
  const inTurn = createTurns(clock);

  const prepareInTurn = async (text: string): Promise<PreparedDocument> => {
    try {
      const prepared = await inTurn(() => prepareDocument(schema, text));
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
   * @param operationName the name of its operation to run; `null` when it has only one
   * @returns the operation, at once when the document is known
   * @throws {RequestRefused} when the document is invalid, too large, or has no such operation; 503 when too many others wait, or for too
   *   long
   */
  return (text: string, operationName: string | null): PreparedOperation | Promise<PreparedOperation> => {
    // Checked first, so that a huge text is not even looked up.
    if (text.length > LIMITS.characters) throw limitExceeded(new LimitExceeded('characters', text.length));
    const known = good.get(text);
    if (known !== undefined) return selectOperation(known, operationName);
    const refusal = bad.get(text);
    if (refusal !== undefined) throw refusal;
    let prepared = waiting.get(text);
    if (prepared === undefined) {
      if (waiting.size >= MAX_WAITING) throw unavailable('The service is too busy. Try again.');
      prepared = prepareInTurn(text);
      waiting.set(text, prepared);
    }
    return withinTime(clock, timeoutMs, prepared).then((document) => selectOperation(document, operationName));
  };
}
