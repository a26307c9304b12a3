import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { Parser, type Result } from 'tap-parser';
import { exited, guardProcess, stopGroup } from '../../src/cli/services/process.ts';
import { REPOSITORY } from '../../src/cli/services/state-directory.ts';

/** How many assertions held and how many did not. */
export interface Counts {
  passed: number;
  failed: number;
}

/** What tap is doing. */
export interface TapRun {
  /** The counts when all files have ended. */
  readonly counts: Promise<Counts>;
  /** Ends every test process. */
  abort(): Promise<void>;
}

const JOBS = 2;
const GRACE_MS = 3000;
/** Tap ends a file that takes too long, unless tap itself was stopped: nothing may wait for that. */
const LIMIT_MINUTES = 90;
const TOLD_BY_THE_STACK = new Set(['at', 'source', 'args', 'cwd', 'stdio', 'externalID']);

/**
 * Runs test files with tap and prints one line for each file that has ended, with how many have, and the whole story of each
 * assertion that failed.
 *
 * @param files the files, relative to the repository
 * @param env the environment of the tests
 * @returns the run
 */
export function runTap(files: readonly string[], env: NodeJS.ProcessEnv): TapRun {
  const counts: Counts = { passed: 0, failed: 0 };
  const bin = join(REPOSITORY, 'node_modules', '.bin', 'tap');
  // A group of its own, so that one signal ends tap, the test files and what they started.
  const tap = spawn(bin, ['run', `--jobs=${JOBS}`, '--reporter=tap', ...files], {
    cwd: REPOSITORY,
    env,
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const guard = tap.pid === undefined ? null : guardProcess(-tap.pid, null);
  const parser = new Parser();
  const unfinished = new Set(files);
  report(parser, counts, unfinished);
  tap.stdout.pipe(parser);
  const limit = setTimeout(() => {
    console.log(`  the tests did not end within ${LIMIT_MINUTES} minutes`);
    abort();
  }, LIMIT_MINUTES * 60_000);
  async function finish(): Promise<Counts> {
    await new Promise((resolve, reject) => {
      tap.once('error', reject);
      parser.once('complete', resolve);
    });
    const ending = await exited(tap);
    clearTimeout(limit);
    await guard?.release();
    for (const file of unfinished) {
      console.log(`  FAIL  ${file}  did not end`);
      counts.failed += 1;
    }
    if (counts.failed === 0 && ending !== 'exit code 0') {
      console.log(`  tap ended with ${ending} although no assertion failed`);
      counts.failed += 1;
    }
    if (counts.passed + counts.failed === 0) {
      console.log('  tap ran no test: that is a failure, too');
      counts.failed += 1;
    }
    return counts;
  }
  async function abort(): Promise<void> {
    await stopGroup(tap, GRACE_MS);
    await guard?.release();
  }
  return { counts: finish(), abort };
}

function report(parser: Parser, counts: Counts, unfinished: Set<string>): void {
  let file: Counts = { passed: 0, failed: 0 };
  let stories: string[] = [];
  // These come for the assertions themselves, however deep, and not for the lines that sum up a subtest.
  parser.on('pass', () => {
    file.passed += 1;
  });
  // For a file that has no assertions, they come as well, but late: that is seen to below.
  const all = unfinished.size;
  const ofFile = (result: Result) => result.fullname === result.name;
  parser.on('fail', (result) => {
    if (ofFile(result)) return;
    file.failed += 1;
    stories.push(story(result));
  });
  parser.on('skip', (result) => {
    if (!ofFile(result)) stories.push(`skipped: ${result.fullname}`);
  });
  parser.on('todo', (result) => stories.push(`todo: ${result.fullname}`));
  parser.on('bailout', (reason) => {
    file.failed += 1;
    console.log(`  tap gave up: ${reason}`);
  });
  // On the outermost level, a result is a file.
  parser.on('assert', (result) => {
    unfinished.delete(result.name);
    if (result.skip === 'no tests found' && result.ok) {
      file.failed += 1;
      stories.push('not ok: the file has no test');
    } else if (result.skip) {
      stories.push(`skipped: ${result.skip}`);
    }
    if (!result.ok && file.failed === 0) {
      // It crashed, timed out or broke its plan while every assertion that it got to held.
      file.failed += 1;
      stories.push(story(result));
    }
    const verdict = file.failed === 0 ? 'ok  ' : 'FAIL';
    const seconds = ((result.time ?? 0) / 1000).toFixed(1);
    const ended = `${String(all - unfinished.size).padStart(String(all).length)} of ${all}`;
    console.log(`  ${verdict}  ${ended}  ${result.name}  ${file.passed} passed, ${file.failed} failed, ${seconds} s`);
    for (const text of stories) console.log(text.replace(/^/gm, '        '));
    counts.passed += file.passed;
    counts.failed += file.failed;
    file = { passed: 0, failed: 0 };
    stories = [];
  });
}

function story(result: Result): string {
  const lines = [`not ok: ${result.fullname}${result.fullname.endsWith(result.name) ? '' : ` > ${result.name}`}`];
  for (const [key, value] of Object.entries(result.diag ?? {})) {
    if (TOLD_BY_THE_STACK.has(key)) continue;
    const text = typeof value === 'string' ? value.trimEnd() : (JSON.stringify(value) ?? String(value));
    lines.push(`  ${key}:${text.includes('\n') ? `\n${text.replace(/^/gm, '    ')}` : ` ${text}`}`);
  }
  return lines.join('\n');
}
