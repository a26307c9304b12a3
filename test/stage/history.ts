/** How an entity was reached: through a list that Postgres answered, or by an id that nothing but caches vouches for. */
export type ReadPath = 'list' | 'id';

/** What one entity held from one commit to the next; `mark` is the text written into its row, `null` while there is none. */
interface State {
  readonly mark: string | null;
  /** Just before the commit was sent: no reader can have seen the state earlier. */
  readonly begunAt: number;
  /** When the commit had been confirmed: from then on every new statement sees it. */
  committedAt: number;
  /** When the writer had been told that every process reads it. */
  answeredAt: number;
  fate: 'open' | 'committed' | 'rolled back';
  seen: boolean;
}

/** A write in the making. */
export interface Writing {
  /** What the row shall hold: a counter that only grows, and a word that no other write has. */
  readonly mark: string | null;
  /** The commit was confirmed. */
  committed(): void;
  /** The writer was told that the write is done: every process forgot what it held. */
  answered(): void;
  /** The write did not happen after all. */
  undone(): void;
}

/** A read in the making. */
export interface Reading {
  /**
   * What the read found.
   *
   * @param key the entity's key
   * @param mark the text in its row; `null` when the read found none
   */
  saw(key: string, mark: string | null): void;
}

/** Something that happened to an entity; `version` counts its states, `at` is in milliseconds on the monotonic clock. */
export type HistoryEvent = { readonly key: string; readonly version: number; readonly at: number } & (
  | { readonly kind: 'sent' | 'committed' | 'answered' | 'undone' }
  | { readonly kind: 'read'; readonly path: ReadPath; readonly reader: string; readonly begunAt: number }
);

/** What the contract promises, in numbers. */
export interface Contract {
  /** How old an answer by id may be, in milliseconds. */
  readonly maxStalenessMs: number;
}

/** How many violations are described; of the others only the number is kept. */
const DESCRIBED = 20;

/**
 * Knows every write and judges each read against the contract:
 *
 * - through a list, a read is at least as new as the newest commit confirmed before the list statement began;
 * - by id, it is at most `maxStalenessMs` older than that, and at least as new as every write that was answered before the
 *   read began, unless Redis was out of order between the two;
 * - either way it found what some write committed, or was about to, and never what was rolled back.
 *
 * All times are taken outside of what is tested, on one monotonic clock, so that the judgement errs on the side of the
 * tested: a commit counts when its confirmation has arrived, a read begins before its first statement is sent.
 */
export class History {
  readonly #contract: Contract;
  readonly #states = new Map<string, State[]>();
  readonly #births = new Map<string, State>();
  readonly #violations: string[] = [];
  #violated = 0;
  #words = 0;
  #outage: { to: number } | null = null;
  /** From when on reads by id must find what was committed before it, since everything has been drained. */
  #settledAt = Number.NEGATIVE_INFINITY;
  /** How many reads were judged, by path: one for each entity that an operation returned, or did not. */
  readonly reads: Record<ReadPath, number> = { list: 0, id: 0 };
  /** How many operations they came from. */
  operations = 0;
  /** How many writes were committed, and how many of them answered. */
  readonly writes = { committed: 0, answered: 0, undone: 0 };
  /** Told of all that happens, in order; nobody is at first. */
  recorder: ((event: HistoryEvent) => void) | null = null;

  /** @param contract what reads are judged by */
  constructor(contract: Contract) {
    this.#contract = contract;
  }

  /** The violations so far, described. */
  get violations(): readonly string[] {
    const more = this.#violated - this.#violations.length;
    return more > 0 ? [...this.#violations, `… and ${more} more`] : this.#violations;
  }

  /** How many reads were judged. */
  get judged(): number {
    return this.reads.list + this.reads.id;
  }

  /** The keys of all entities that are known to exist or to have existed. */
  keys(): string[] {
    return [...this.#states.keys()];
  }

  /**
   * Declares an entity, which must be as declared before the first read.
   *
   * @param key its key
   * @param mark the text in its row; `null` when there is none yet
   */
  declare(key: string, mark: string | null): void {
    this.#states.set(key, [{ ...opened(mark, Number.NEGATIVE_INFINITY), ...confirmed(Number.NEGATIVE_INFINITY) }]);
  }

  /**
   * What the entity's row holds after all writes begun so far.
   *
   * @param key the entity's key
   * @returns the mark, or `null` when the row is not there
   */
  newest(key: string): string | null {
    return this.#of(key).findLast((state) => state.fate !== 'rolled back')?.mark ?? null;
  }

  /**
   * A text for the next state of an entity.
   *
   * @param key the entity's key; absent when Postgres will choose it
   * @returns a counter and a word
   */
  mark(key?: string): string {
    this.#words += 1;
    return `${key === undefined ? 1 : this.#of(key).length}.w${this.#words}`;
  }

  /**
   * Begins a write. Writes of one entity must be committed in the order in which they began.
   *
   * @param key the entity's key
   * @param mark the text that its row will hold; `null` when it is deleted
   * @returns the write, to tell how it went
   */
  writing(key: string, mark: string | null): Writing {
    const state = opened(mark, performance.now());
    const version = this.#of(key).push(state) - 1;
    this.recorder?.({ kind: 'sent', key, version, at: state.begunAt });
    return this.#writing(key, state, version);
  }

  /**
   * Begins the write of a new entity whose id Postgres will choose.
   *
   * @param mark the text that its row will hold
   * @returns the write; `born` tells the id when it is known
   */
  birth(mark: string): Writing & { born(key: string): void } {
    const state = opened(mark, performance.now());
    this.#births.set(mark, state);
    return { ...this.#writing(`(new) ${mark}`, state), born: (key) => this.#born(key, mark) };
  }

  /**
   * Begins a read.
   *
   * @param path how entities are reached
   * @param reader who reads, for messages
   * @param begunAt when it began, if that was before now
   * @returns the read, to tell what it found
   */
  reading(path: ReadPath, reader: string, begunAt = performance.now()): Reading {
    this.operations += 1;
    return { saw: (key, mark) => this.#judge(path, reader, begunAt, key, mark) };
  }

  /**
   * Redis is out of order from now on: writes begun before its end do not promise that they are read back.
   *
   * @returns a function that ends it
   */
  outage(): () => void {
    const outage = { to: Number.POSITIVE_INFINITY };
    this.#outage = outage;
    return () => {
      outage.to = performance.now();
    };
  }

  /** Everything has been drained: from now on reads by id must find what was committed before now. */
  settled(): void {
    this.#settledAt = performance.now();
  }

  /**
   * Adds what was found wrong by other means.
   *
   * @param description what is wrong
   */
  violation(description: string): void {
    this.#violated += 1;
    if (this.#violations.length < DESCRIBED) this.#violations.push(description);
  }

  #writing(key: string, state: State, version = 0): Writing {
    return {
      mark: state.mark,
      committed: () => {
        Object.assign(state, confirmed(performance.now()));
        this.recorder?.({ kind: 'committed', key, version, at: state.committedAt });
        this.writes.committed += 1;
      },
      answered: () => {
        state.answeredAt = performance.now();
        this.recorder?.({ kind: 'answered', key, version, at: state.answeredAt });
        this.writes.answered += 1;
      },
      undone: () => {
        state.fate = 'rolled back';
        this.recorder?.({ kind: 'undone', key, version, at: performance.now() });
        this.writes.undone += 1;
        if (state.seen) this.violation(`${key}: a read found ${state.mark}, which was rolled back`);
      },
    };
  }

  #born(key: string, mark: string): void {
    const state = this.#births.get(mark);
    if (state === undefined) return;
    this.#births.delete(mark);
    this.declare(key, null);
    this.#of(key).push(state);
  }

  #judge(path: ReadPath, reader: string, begunAt: number, key: string, mark: string | null): void {
    this.reads[path] += 1;
    if (!this.#states.has(key)) {
      if (mark === null) return;
      this.#born(key, mark);
    }
    const states = this.#states.get(key) ?? [];
    // A deleted row has the same mark each time: the newest is the one that may be found.
    const found = states.findLastIndex((state) => state.mark === mark && state.fate !== 'rolled back');
    const state = states[found];
    if (state === undefined) {
      this.violation(`${reader}, by ${path}: ${key} holds ${mark}, which was never committed`);
      return;
    }
    state.seen = true;
    this.recorder?.({ kind: 'read', key, version: found, at: performance.now(), path, reader, begunAt });
    const floor = this.#floor(path, states, begunAt);
    if (found >= floor) return;
    const least = states[floor] as State;
    const ms = (at: number) => `${(at - begunAt).toFixed(1)} ms`;
    this.violation(
      `${reader}, by ${path}: ${key} holds ${mark}, state ${found} of ${states.length}, but the read must find ${least.mark} or newer, ` +
        `committed at ${ms(least.committedAt)} and answered at ${ms(least.answeredAt)} from the read's begin; it ended at ${ms(performance.now())}`,
    );
  }

  /** The index of the oldest state that the read may find. */
  #floor(path: ReadPath, states: readonly State[], begunAt: number): number {
    const latest = Math.max(
      begunAt - (path === 'list' ? 0 : this.#contract.maxStalenessMs),
      path === 'id' && begunAt >= this.#settledAt ? this.#settledAt : Number.NEGATIVE_INFINITY,
    );
    for (let i = states.length - 1; i > 0; i -= 1) {
      const state = states[i] as State;
      if (state.fate === 'rolled back') continue;
      if (state.committedAt <= latest) return i;
      if (path === 'id' && state.answeredAt <= begunAt && this.#redisStoodSince(state.begunAt)) return i;
    }
    return 0;
  }

  #redisStoodSince(at: number): boolean {
    return this.#outage === null || this.#outage.to < at;
  }

  #of(key: string): State[] {
    const states = this.#states.get(key);
    if (states === undefined) throw new RangeError(`${key} was not declared`);
    return states;
  }
}

function opened(mark: string | null, begunAt: number): State {
  const never = Number.POSITIVE_INFINITY;
  return { mark, begunAt, committedAt: never, answeredAt: never, fate: 'open', seen: false };
}

function confirmed(at: number): Pick<State, 'committedAt' | 'fate'> {
  return { committedAt: at, fate: 'committed' };
}
