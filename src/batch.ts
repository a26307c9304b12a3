let waiting: (() => void)[] = [];
let ending = false;

/**
 * Calls back when all requests that came in this turn of the event loop have been read. A callback may ask for more at once, without
 * waiting for a store. That is called back in the same turn, after all the others.
 *
 * So the requests of a turn share what they ask a store for, one level of all requests after the other.
 *
 * @param callback runs then; it must not throw, or the others would not run
 */
export function atEndOfTurn(callback: () => void): void {
  if (waiting.length === 0 && !ending) setImmediate(callAll);
  waiting.push(callback);
}

/**
 * Holds a value back until the end of the turn, so that what is done with it comes after all requests of the turn have been read.
 *
 * @param value what is known already
 * @returns the value, then
 */
export function untilEndOfTurn<T>(value: T): Promise<T> {
  return new Promise((resolve) => atEndOfTurn(() => resolve(value)));
}

function callAll(): void {
  const callbacks = waiting;
  waiting = [];
  ending = true;
  afterPromises(callMore);
  for (const callback of callbacks) callback();
}

function callMore(): void {
  ending = waiting.length > 0;
  if (ending) callAll();
}

/**
 * Calls back when everything that settled promises lead to has happened. At that moment a DataLoader sends its batch by default.
 *
 * @param callback runs in the same turn of the event loop
 */
export function afterPromises(callback: () => void): void {
  void Promise.resolve().then(() => process.nextTick(callback));
}

/** Something that was asked for, what is made of the answer, and who waits for that. */
interface Asked<Key, Answer> {
  readonly key: Key;
  readonly show: (answer: Answer) => unknown;
  readonly resolve: (shown: never) => void;
  readonly reject: (reason: unknown) => void;
}

/**
 * Collects what requests ask for until a moment, and reads all of it at once. Siblings of any parent, limit and cursor share one list
 * statement and one read of bodies. Reads by id share one read.
 */
export class Batch<Key, Answer> {
  readonly #schedule: (callback: () => void) => void;
  readonly #read: (keys: readonly Key[]) => Promise<readonly Answer[]>;
  #asked: Asked<Key, Answer>[] = [];

  /**
   * @param schedule calls back at the moment
   * @param read answers keys, in order
   */
  constructor(schedule: (callback: () => void) => void, read: (keys: readonly Key[]) => Promise<readonly Answer[]>) {
    this.#schedule = schedule;
    this.#read = read;
  }

  /**
   * @param key what is asked for
   * @returns its answer; throws what the reading throws
   */
  load(key: Key): Promise<Answer> {
    return this.loadAs(key, same);
  }

  /**
   * Like `load`, but makes something of the answer, which saves a promise for each page.
   *
   * @param key what is asked for
   * @param show makes it; it must not throw
   * @returns what was made
   */
  loadAs<Shown>(key: Key, show: (answer: Answer) => Shown): Promise<Shown> {
    if (this.#asked.length === 0) this.#schedule(() => void this.#answer());
    return new Promise((resolve, reject) => {
      this.#asked.push({ key, show, resolve, reject });
    });
  }

  async #answer(): Promise<void> {
    const asked = this.#asked;
    this.#asked = [];
    try {
      const answers = await this.#read(asked.map(({ key }) => key));
      // There are as many answers as keys.
      for (const [i, { show, resolve }] of asked.entries()) resolve(show(answers[i] as Answer) as never);
    } catch (error) {
      for (const { reject } of asked) reject(error);
    }
  }
}

function same<T>(value: T): T {
  return value;
}
