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

/** How much memory documents, good and bad ones apart, may take while they are remembered, in bytes, roughly. */
const REMEMBERED_BYTES = 64_000_000;

/** What a token comes to when it is part of a syntax tree, and what a bad document's errors come to; measured. */
const TOKEN_BYTES = 300;
const ERRORS_BYTES = 8_000;

/** New documents that may wait to be looked at: seconds' worth of the worst. */
const MAX_WAITING = 64;

/**
 * Parses and validates documents, each once as long as it is remembered. New ones are looked at one a turn of the
 * event loop: whoever's document is known waits for one of them at a time, however many came in together.
 *
 * @param schema what documents must be valid against
 * @param timeoutMs how long a request waits for its document at most, in milliseconds
 * @param clock the time
 * @returns finds the operation to run in a document's text
 */
export function createDocuments(schema: GraphQLSchema, timeoutMs: number, clock: Clock) {
  const good = new LRUCache<string, PreparedDocument>({
    maxSize: REMEMBERED_BYTES,
    sizeCalculation: ({ tokens }, text) => 2 * text.length + tokens * TOKEN_BYTES + 1,
  });
  // Bad documents are remembered apart, so that a stream of them does not push the good ones out.
  const bad = new LRUCache<string, RequestRefused>({
    maxSize: REMEMBERED_BYTES,
    sizeCalculation: (_error, text) => 2 * text.length + ERRORS_BYTES,
  });

  // Another map whenever none waits: what was in one that changes so often may stay until the next full collection (see draining.ts).
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
   * @param operationName which of its operations; `null` when it has only one
   * @returns the operation
   * @throws {RequestRefused} when the document is not valid, too large, or has no such operation; 503 when too many others
   *   wait to be looked at, or for too long
   */
  return async (text: string, operationName: string | null): Promise<PreparedOperation> => {
    // Before it is even looked up.
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
    return selectOperation(await withinTime(clock, timeoutMs, prepared), operationName);
  };
}
