import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stopGroup } from '../../../src/cli/services/process.ts';
import { runProgram } from '../../../src/cli/services/run-program.ts';
import type { Spin } from '../../../src/cli/services/spin.ts';
import { REPOSITORY } from '../../../src/cli/services/state-directory.ts';
import { outputOf } from '../../support/output-of.ts';

/** A model to search. */
export interface Configuration {
  /** The file in `model/`. */
  readonly file: 'protocol.pml' | 'outbox.pml' | 'token.pml' | 'silence.pml';
  /** What is defined before it: sizes, what may go wrong, what is left out. */
  readonly define: readonly string[];
  /** Which processes of Larder run beside readings and writers; none where the file starts them itself. */
  readonly machinery?: string;
  /** A process that goes through a history, for `RECORDED`. */
  readonly after?: string;
}

/** What a search came to. */
export interface Found {
  /** How many states were stored. */
  readonly states: number;
  /** The longest path that was gone. */
  readonly depth: number;
  /** What happens on the way to a read that broke the contract; `null` when every state was seen and none did. */
  readonly counterexample: readonly string[] | null;
  /** How long the search itself took, in seconds. */
  readonly seconds: number;
}

/** How a model is searched. */
export interface Effort {
  /** How long the search may take, in milliseconds. */
  readonly limitMs: number;
  /** How much memory it may take; the same on a slow machine. */
  readonly memoryMb?: number;
  /** Whether the program is compiled as fast as possible rather than to be fast: for what has few states. */
  readonly brief?: boolean;
}

/** Not every state was seen, for want of memory, depth or time, and in those that were nothing broke the contract: that says nothing. */
export class SearchLimitError extends Error {}

const MEMORY_MB = 2500;
const DEPTH = 1_000_000;
const GRACE_MS = 1000;

/** The searches under way, to be ended when a command is interrupted. */
const running = new Set<ChildProcess>();

/** Ends every search that is under way. */
export async function stopSearches(): Promise<void> {
  await Promise.all([...running].map((child) => stopGroup(child, GRACE_MS)));
}

/**
 * Searches all states that a model can come to, until one breaks the contract.
 *
 * @param tools Spin and a compiler
 * @param configuration what to search
 * @param effort what it may take
 * @returns what was found
 * @throws {SearchLimitError} when not every state could be seen
 * @throws when the model is wrong
 */
export async function search(tools: Spin, configuration: Configuration, effort: Effort): Promise<Found> {
  const { limitMs, memoryMb = MEMORY_MB, brief = false } = effort;
  const directory = mkdtempSync(join(tmpdir(), 'larder-model-'));
  try {
    writeFileSync(join(directory, 'model.pml'), textOf(configuration));
    await succeed(tools.spin, ['-a', 'model.pml'], directory);
    const how = [brief ? '-O0' : '-O2', '-w', '-DSAFETY', '-DCOLLAPSE', `-DMEMLIM=${memoryMb}`];
    await succeed(tools.compiler, [...how, '-o', 'pan', 'pan.c'], directory);
    const began = performance.now();
    const said = await runLimited(join(directory, 'pan'), [`-m${DEPTH}`], directory, limitMs);
    const seconds = (performance.now() - began) / 1000;
    const number = (pattern: RegExp) => Number(pattern.exec(said)?.[1] ?? Number.NaN);
    const states = number(/([\d.e+]+) states, stored/);
    const depth = number(/depth reached (\d+)/);
    const errors = number(/errors: (\d+)/);
    if (errors === 1 && /assertion violated/.test(said)) {
      const trail = await succeed(tools.spin, ['-T', '-B', '-t', 'model.pml'], directory);
      return { states, depth, seconds, counterexample: happenings(trail) };
    }
    if (/Search not completed|max search depth too small|out of memory/.test(said)) {
      throw new SearchLimitError(`Not every state was seen:\n${said.trim()}`);
    }
    if (errors !== 0) throw new Error(`The model is wrong:\n${said.trim()}`);
    return { states, depth, seconds, counterexample: null };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function textOf({ file, define, machinery, after = '' }: Configuration): string {
  const lines = define.map((text) => `#define ${text.replace('=', ' ')}`);
  if (machinery !== undefined) lines.push(`#define MACHINERY ${machinery}`);
  return `${lines.join('\n')}\n#include "${join(REPOSITORY, 'model', file)}"\n${after}`;
}

/** The lines that the model prints; Spin's own begin with `spin:`. */
function happenings(trail: string): string[] {
  const lines = trail.split('\n').map((line) => line.trim());
  return lines.filter((line) => line !== '' && !/^(spin:|queue |#processes|\d+:)/.test(line));
}

async function succeed(program: string, args: readonly string[], cwd: string): Promise<string> {
  const { code, said } = await runProgram(program, args, { cwd });
  if (code !== 0 || /^spin: .*Error: (?!assertion)/m.test(said))
    throw new Error(`${program} ${args.join(' ')}:\n${said.trim()}`);
  return said;
}

async function runLimited(program: string, args: readonly string[], cwd: string, limitMs: number): Promise<string> {
  // A group of its own, and less urgent than whatever else runs.
  const child = spawn(program, args, { cwd, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  running.add(child);
  const said = outputOf(child);
  const timer = setTimeout(() => void stopGroup(child, GRACE_MS), limitMs);
  try {
    const signal = await new Promise<NodeJS.Signals | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (_code, signal) => resolve(signal));
    });
    if (signal !== null)
      throw new SearchLimitError(
        `The search was ended after ${limitMs / 1000} s:\n${said().trim().split('\n').at(-1)}`,
      );
    return said();
  } finally {
    clearTimeout(timer);
    running.delete(child);
  }
}
