import { SingleBar } from 'cli-progress';

/** The sight of one long task. Its owner calls `advance` as work gets done and `finish` once. */
export interface Progress {
  /**
   * Says that more of the task is done.
   *
   * @param n how many units since the last call
   */
  advance(n: number): void;
  /**
   * Ends the task with a line that stays on the screen.
   *
   * @param note what to add to that line
   */
  finish(note?: string): void;
}

/** Between two lines of a log, so that quick tasks print their end alone. */
const QUIET_MS = 2000;
const STEPS = 10;
const GROWTH = 1.6;

/**
 * Shows how far a task is, on stderr so that stdout stays the program's own: a bar on a terminal, and at most about ten
 * plain lines where a log is kept.
 *
 * @param label what is being done, such as `Loading events`
 * @param total how many units there are, `null` when nobody knows
 * @returns what to tell of the work done
 */
export function startProgress(label: string, total: number | null): Progress {
  return process.stderr.isTTY ? startBar(label, total) : startLines(label, total);
}

function startBar(label: string, total: number | null): Progress {
  const started = performance.now();
  let done = 0;
  const bar = new SingleBar({
    format:
      total === null
        ? `${label}  {value}  {duration_formatted}`
        : `${label}  {bar}  {percentage} %  {value}/{total}  {eta_formatted} left`,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    barsize: 30,
    fps: 10,
    clearOnComplete: true,
    // The graceful exit of the library catches SIGINT and does not pass it on, so that Ctrl-C would not end the task;
    // it exists to give back a hidden cursor, and so the cursor stays.
    gracefulExit: false,
    hideCursor: false,
    stream: process.stderr,
  });
  bar.start(total ?? 0, 0);
  return {
    advance(n) {
      done += n;
      bar.update(done);
    },
    finish(note) {
      bar.stop();
      process.stderr.write(lastLine(label, done, started, note));
    },
  };
}

function startLines(label: string, total: number | null): Progress {
  const started = performance.now();
  let done = 0;
  let lastAt = started;
  let quiet = QUIET_MS;
  let lastStep = 0;
  return {
    advance(n) {
      done += n;
      const now = performance.now();
      const step = total === null ? lastStep + 1 : Math.floor((done / total) * STEPS);
      if (now - lastAt < quiet || step <= lastStep) return;
      process.stderr.write(`${label}: ${total === null ? done : `${done} of ${total}`}\n`);
      lastAt = now;
      lastStep = step;
      // Nothing tells how long a task without a total runs, so its lines come ever further apart.
      if (total === null) quiet *= GROWTH;
    },
    finish(note) {
      process.stderr.write(lastLine(label, done, started, note));
    },
  };
}

function lastLine(label: string, done: number, started: number, note: string | undefined): string {
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  return `${label}: ${done} in ${seconds} s${note === undefined ? '' : ` (${note})`}\n`;
}
