import fc, { type Scheduler } from 'fast-check';
import type { Test } from 'tap';
import type { Scope } from '../../../src/bodies/scope.ts';
import type { PageRequest } from '../../../src/lists/page-request.ts';
import { drainOutbox } from '../../../src/outbox/outbox.ts';
import { checkBodies } from '../../stage/check-bodies.ts';
import { commit, Locks, Undone, undone } from '../../stage/commit.ts';
import { History } from '../../stage/history.ts';
import { markOf, sawPage, WHOLE_PAGE } from '../../stage/pages.ts';
import type { LarderProcess, Parts } from '../../stage/process.ts';
import { keyOf, type Row } from '../../stage/rows.ts';
import type { Place } from '../../stage/seams.ts';
import { type Stage, setStage } from '../../stage/stage.ts';

/** Campaigns of a run. */
const CAMPAIGNS = 2;

/** Processes of a run. */
export const PROCESSES = 2;

const DRAIN_BATCH = 100;
const HEARTBEAT_MS = 60_000;
const ATTEMPTS = 5;

/** What the commands of one run act on: two processes and two rows that no other run has. */
export class ScheduledRun {
  readonly history = new History({ maxStalenessMs: Number.POSITIVE_INFINITY });
  readonly #world: ScheduledWorld;
  readonly #brand: string;
  readonly #locks = new Locks();
  readonly #started: Promise<void>[] = [];

  constructor(world: ScheduledWorld, brand: number) {
    this.#world = world;
    this.#brand = String(brand);
  }

  /** The row of a number. */
  row(which: number): Row {
    return { entity: 'Campaign', id: String(Number(this.#brand) + which) };
  }

  /** Puts the rows there. */
  async begin(): Promise<void> {
    const { sql } = this.#world.stage;
    const rows = Array.from({ length: CAMPAIGNS }, (_, i) => this.row(i));
    await sql`insert into brands (id, name) values (${this.#brand}, 'of a run')`;
    for (const row of rows) this.history.declare(keyOf(row), null);
    await this.write(null, rows, false);
    await this.drain(0);
  }

  /** Starts something that goes on while later commands start. */
  start(work: Promise<void>): void {
    // An error is met when all is waited for.
    work.catch(() => {});
    this.#started.push(work);
  }

  /** Waits until everything that was started has ended. */
  async ended(): Promise<void> {
    await Promise.all(this.#started);
  }

  process(which: number): LarderProcess {
    return this.#world.processes[which] as LarderProcess;
  }

  /** Reads rows by id. */
  async byId(which: number, rows: readonly Row[], scope?: Scope): Promise<void> {
    const process = this.process(which);
    const reading = this.history.reading('id', `process ${which}`);
    const ids = rows.map(({ id }) => id);
    const found = await process.repositories.Campaign.findByIds(ids, scope ?? process.scope());
    for (const [i, row] of rows.entries()) reading.saw(keyOf(row), markOf(found[i] ?? null, this.history));
  }

  /** Reads the list of all rows of the run. */
  async list(which: number, scope?: Scope): Promise<void> {
    const process = this.process(which);
    const reading = this.history.reading('list', `process ${which}`);
    const request: PageRequest = { ...WHOLE_PAGE, parent: this.#brand };
    const [page] = await process.repositories.Campaign.list('ofBrand', [request], scope ?? process.scope());
    sawPage(this.history, reading, 'Campaign-', page?.items ?? []);
  }

  /** Commits changes, by API through a process or, with `null`, by psql. */
  async write(which: number | null, rows: readonly Row[], remove: boolean): Promise<void> {
    const changes = rows.map((row) => ({ row, delete: remove, brand: this.#brand }));
    await commit({
      sql: this.#world.stage.sql,
      history: this.history,
      locks: this.#locks,
      via: which === null ? 'psql' : this.process(which),
      changes,
      seam: this.#world.seam,
    });
  }

  /** Changes a row and thinks better of it. */
  async rollBack(row: Row): Promise<void> {
    const release = await this.#locks.take([keyOf(row)]);
    const { seam, stage } = this.#world;
    await seam('write');
    try {
      await undone(
        stage.sql.begin(async (sql) => {
          await sql`update campaigns set title = 'undone', body = 'undone' where id = ${row.id}`;
          await seam('write answered');
          throw new Undone();
        }),
      );
    } finally {
      release();
    }
  }

  /** Drains the outbox once, as a drainer's round does. */
  async drain(which: number): Promise<void> {
    const process = this.process(which);
    await persist(async () => {
      const standing = (await process.membership?.stand()) ?? null;
      if (standing === null) throw new Error('It belongs to no domain.');
      const { domain } = standing;
      await drainOutbox(process.database, domain, DRAIN_BATCH, (changes) => process.cache.tell(changes, domain.run));
    });
  }

  /** Drops keys from Redis, as expiry and eviction do, or all. */
  async drop(row: Row | null): Promise<void> {
    const { keys } = this.#world.stage;
    if (row !== null) await keys.del(keyOf(row));
    else {
      await keys.flushall();
      await persist(async () => this.process(0).vouch(HEARTBEAT_MS, performance.now()));
    }
  }

  /** When nothing moves any more and all is drained, every read finds the newest, and so does whoever looks into Redis. */
  async settle(): Promise<void> {
    await this.drain(0);
    // A message to the other process may still be on its way.
    await persist(() => this.process(0).cache.invalidate([this.row(0)], true));
    this.history.settled();
    const rows = Array.from({ length: CAMPAIGNS }, (_, i) => this.row(i));
    for (let which = 0; which < PROCESSES; which += 1) {
      await this.byId(which, rows);
      await this.list(which);
    }
    await checkBodies({ ...this.#world.stage, history: this.history }, rows.map(keyOf));
  }
}

/** A busy machine may keep Redis waiting for longer than a command may take. A drainer tries again then, and so does this. */
async function persist<T>(action: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await action();
    } catch (error) {
      if (attempt === ATTEMPTS) throw error;
    }
  }
}

/** Two processes whose every step waits for a scheduler. */
export class ScheduledWorld {
  readonly stage: Stage;
  readonly processes: LarderProcess[] = [];
  #scheduler: Scheduler | null = null;
  #brand = 1000;
  /** Answers that are being waited for. */
  #underWay = 0;
  /** Ends with the last run, however that ends. */
  #running: Promise<unknown> = Promise.resolve();

  private constructor(stage: Stage) {
    this.stage = stage;
  }

  /**
   * Opens the processes.
   *
   * @param t the test that they are for
   * @param parts what they are made of
   * @returns the world
   */
  static async open(t: Test, parts: Parts = {}): Promise<ScheduledWorld> {
    const world = new ScheduledWorld(await setStage(t));
    for (let i = 0; i < PROCESSES; i += 1) {
      // What counts here is who comes first, not how long it takes.
      world.processes.push(
        await world.stage.open({ parts, seam: world.seam, drains: false, memoryTtlMs: 5000, poolSize: 12 }),
      );
    }
    // A time limit of fast-check leaves the run under way to itself, which would wait for ever for stores that are closed.
    t.teardown(() => world.#running);
    for (const process of world.processes) await persist(() => process.vouch(HEARTBEAT_MS, performance.now()));
    return world;
  }

  /** What every step of the processes passes. */
  readonly seam = async (place: Place): Promise<void> => {
    if (this.#scheduler === null) return;
    const answered = place.endsWith(' answered');
    if (answered) this.#underWay -= 1;
    await this.#scheduler.schedule(Promise.resolve(), place);
    if (!answered) this.#underWay += 1;
  };

  /**
   * Runs commands, in an order of steps that the scheduler chooses, and judges what they read.
   *
   * @param scheduler chooses
   * @param commands what is done
   * @returns the history of the run
   */
  run(scheduler: Scheduler, commands: Iterable<fc.AsyncCommand<object, ScheduledRun>>): Promise<History> {
    const running = this.#run(scheduler, commands);
    this.#running = Promise.allSettled([running]);
    return running;
  }

  async #run(scheduler: Scheduler, commands: Iterable<fc.AsyncCommand<object, ScheduledRun>>): Promise<History> {
    this.#brand += 10;
    const run = new ScheduledRun(this, this.#brand);
    await run.begin();
    this.#scheduler = scheduler;
    this.#underWay = 0;
    try {
      await fc.scheduledModelRun(scheduler, () => ({ model: {}, real: run }), commands);
      await scheduler.waitFor(run.ended());
    } finally {
      this.#scheduler = null;
    }
    await run.settle();
    return run.history;
  }

  /** The next step is chosen when all that are under way have come to their next seam: so any may be held for long. */
  readonly act = async (step: () => Promise<void>): Promise<void> => {
    await step();
    do await new Promise((resolve) => setImmediate(resolve));
    while (this.#underWay > 0);
  };
}
