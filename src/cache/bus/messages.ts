import { parseJson } from '../parse-json.ts';

/** What processes tell each other: keys whose rows changed, and whom to tell when they have been forgotten. */
export interface Message {
  readonly keys: string[];
  /** The channel to acknowledge on; absent when the sender does not wait. */
  readonly replyTo?: string;
  readonly number?: number;
}

/** That a process has forgotten the keys of a message. */
export interface Acknowledgement {
  readonly number: number;
  /** The channel where the process itself is replied to. */
  readonly from: string;
}

/** What a process tells itself. */
export interface Echo {
  /** When that was, in milliseconds on its monotonic clock. */
  readonly sent: number;
  /** Which run of Redis vouched for bodies then: its `run_id`, and its history. */
  readonly epoch: string;
}

/** What a process is told that did not acknowledge: soon nobody will wait for it under this name. */
export interface GivenUp {
  readonly givenUp: true;
}

/**
 * @param text what came where invalidations are published
 * @returns the message; `null` when it is none
 */
export function decodeMessage(text: string): Message | null {
  const message = parseJson(text) as Partial<Message> | null | undefined;
  return Array.isArray(message?.keys) && message.keys.every((key) => typeof key === 'string')
    ? (message as Message)
    : null;
}

/**
 * @param text what came where a process is replied to
 * @returns what it is; `null` when it is nothing of these
 */
export function decodeReply(text: string): Acknowledgement | Echo | GivenUp | null {
  const reply = (parseJson(text) ?? {}) as Partial<Acknowledgement & Echo & GivenUp>;
  const { number, from, sent, epoch } = reply;
  if (typeof number === 'number' && typeof from === 'string') return { number, from };
  if (typeof sent === 'number' && typeof epoch === 'string') return { sent, epoch };
  return reply.givenUp === true ? { givenUp: true } : null;
}
