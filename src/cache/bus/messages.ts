import { parseJson } from '../parse-json.ts';

/** A message between processes: keys whose rows changed, and where to acknowledge that they are forgotten. */
export interface Message {
  readonly keys: string[];
  /** The reply channel of the sender; absent when it does not wait. */
  readonly replyTo?: string;
  readonly number?: number;
}

/** A process has forgotten the keys of a message. */
export interface Acknowledgement {
  readonly number: number;
  /** The reply channel of that process. */
  readonly from: string;
}

/** What a process sends itself through Redis. */
export interface Echo {
  /** When it was sent, in milliseconds on the process' monotonic clock. */
  readonly sent: number;
  /** The run of Redis that certified bodies at that time: its `run_id` and its history. */
  readonly epoch: string;
}

/** Warns a process that did not acknowledge: soon nobody will wait for it under this name. */
export interface GivenUp {
  readonly givenUp: true;
}

/**
 * @param text a message on the channel of invalidations
 * @returns the message; `null` when it is none
 */
export function decodeMessage(text: string): Message | null {
  const message = parseJson(text) as Partial<Message> | null | undefined;
  return Array.isArray(message?.keys) && message.keys.every((key) => typeof key === 'string')
    ? (message as Message)
    : null;
}

/**
 * @param text a message on a reply channel
 * @returns what it is; `null` when it is none of these
 */
export function decodeReply(text: string): Acknowledgement | Echo | GivenUp | null {
  const reply = (parseJson(text) ?? {}) as Partial<Acknowledgement & Echo & GivenUp>;
  const { number, from, sent, epoch } = reply;
  if (typeof number === 'number' && typeof from === 'string') return { number, from };
  if (typeof sent === 'number' && typeof epoch === 'string') return { sent, epoch };
  return reply.givenUp === true ? { givenUp: true } : null;
}
