import { SingleBar } from 'cli-progress';

/** Shows one long task. Its owner calls `advance` as work gets done, and `finish` once. */
export interface Progress {
  /**
   * Notes that more of the task is done.
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

/** The pause between two lines of a log, in milliseconds. A quick task prints only its end. */
const QUIET_MS = 2000;
const STEPS = 10;
const GROWTH = 1.6;

/**
 * Shows the progress of a task on stderr, since stdout is the program's own. A terminal gets a bar, a log about ten plain lines at most.
 *
 * @param label what is being done, such as `Loading events`
 * @param total how many units there are; `null` when that is not known
 * @returns told of the work done
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
    // The library's graceful exit catches SIGINT and does not pass it on, so Ctrl-C would not end the task. It exists to show a hidden
    // cursor again, so the cursor is not hidden here.
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
      // The length of a task without a total is unknown, so its lines come ever further apart.
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
