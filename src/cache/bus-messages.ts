import { parseJson } from './parse-json.ts';

/** What processes tell each other: keys whose rows changed, and whom to tell when they have been forgotten. */
export interface Message {
  readonly keys: string[];
  /** The channel to acknowledge on; absent when the sender does not wait. */
  readonly replyTo?: string;
  readonly number?: number;
}

/** What a process tells itself. */
export interface Echo {
  /** When that was, in milliseconds on its monotonic clock. */
  readonly sent: number;
  /** Which run of Redis vouched for bodies then: its `run_id`, and its history. */
  readonly epoch: string;
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
 * @returns the number of an acknowledged message, or an echo; `null` when it is neither
 */
export function decodeReply(text: string): number | Echo | null {
  const reply = parseJson(text);
  if (typeof reply === 'number') return reply;
  const { sent, epoch } = (reply ?? {}) as Partial<Echo>;
  return typeof sent === 'number' && typeof epoch === 'string' ? { sent, epoch } : null;
}
