/**
 * Redis answered what is no answer to the question: the stream of answers is out of step, or whoever listens there is no
 * Redis. Nothing more of that connection may be believed.
 */
export class OutOfStep extends Error {
  override name = 'OutOfStep';

  /** @param command the command that was asked */
  constructor(command: string) {
    super(`Redis answered ${command} with something that is no answer to it.`);
  }
}

/**
 * @param command the command, for the error
 * @param reply its reply
 * @param count how many values were asked for
 * @returns the reply
 * @throws {OutOfStep} when it is not a list of so many texts and gaps
 */
export function texts(command: string, reply: unknown, count: number): (string | null)[] {
  const fits = Array.isArray(reply) && reply.length === count && reply.every((value) => isText(value));
  if (!fits) throw new OutOfStep(command);
  return reply;
}

/**
 * @param command the command, for the error
 * @param reply its reply
 * @returns the reply
 * @throws {OutOfStep} when it is neither a text nor a gap
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
 * @param count how many values it is to have
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
