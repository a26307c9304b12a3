/**
 * Redis gave a reply that cannot answer the question. Either the stream of replies is out of step, or the server is no Redis. Nothing more
 * of that connection may be trusted.
 */
export class OutOfStep extends Error {
  override name = 'OutOfStep';

  /** @param command the command */
  constructor(command: string) {
    super(`Redis answered ${command} with something that is no answer to it.`);
  }
}

/**
 * @param command the command, for the error
 * @param reply its reply
 * @param count the expected number of values
 * @returns the reply; `null` stands for a missing value
 * @throws {OutOfStep} when it is not a list of so many texts and `null`s
 */
export function texts(command: string, reply: unknown, count: number): (string | null)[] {
  const fits = Array.isArray(reply) && reply.length === count && reply.every((value) => isText(value));
  if (!fits) throw new OutOfStep(command);
  return reply;
}

/**
 * @param command the command, for the error
 * @param reply its reply
 * @returns the reply; `null` for a missing value
 * @throws {OutOfStep} when it is neither a text nor `null`
 */
export function text(command: string, reply: unknown): string | null {
  if (!isText(reply)) throw new OutOfStep(command);
  return reply;
}

/**
 * @param command the command, for the error
 * @param reply its reply
 * @returns the reply
 * @throws {OutOfStep} when it is not a whole number
 */
export function integer(command: string, reply: unknown): number {
  if (!Number.isSafeInteger(reply)) throw new OutOfStep(command);
  return reply as number;
}

/**
 * @param command the command, for the error
 * @param reply its reply
 * @param count the expected number of values
 * @returns the reply
 * @throws {OutOfStep} when it is not a list of so many
 */
export function list(command: string, reply: unknown, count: number): unknown[] {
  if (!Array.isArray(reply) || reply.length !== count) throw new OutOfStep(command);
  return reply;
}

function isText(value: unknown): value is string | null {
  return typeof value === 'string' || value === null;
}
