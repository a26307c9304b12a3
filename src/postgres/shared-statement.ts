import { atEndOfTurn } from '../batch.ts';
import { Trace } from '../trace/trace.ts';
import { DatabaseUnavailable } from './errors.ts';

/** What requests ask of one statement, and how it is read. */
export interface Shared<Ask, Answer> {
  /** What the statement is called in figures. */
  readonly name: string;
  /**
   * Reads by one statement what is asked for.
   *
   * @param asked what, by one request or several
   * @param trace the trace of the request, or of all of them
   * @returns an answer for each, in order
   */
  read(asked: readonly Ask[], trace: Trace): Promise<readonly Answer[]>;
  /** @returns how many rows it takes at most; infinite when nobody knows */
  size(ask: Ask): number;
  /** @returns how many of the rows that came are for this one */
  rowsFor(ask: Ask, answer: Answer): number;
  /** @returns whether both ask for the very same; nothing is compared when it is left out */
  areSame?(a: Ask, b: Ask): boolean;
}

/** What one request asks for, or several that ask for the very same, and who waits for it. */
interface Group<Ask, Answer> {
  readonly ask: Ask;
  readonly traces: Trace[];
  readonly answer: Promise<Answer>;
  resolve(answer: Answer | Promise<Answer>): void;
  reject(reason: unknown): void;
}

/** More rows than this are a statement's worth of work, and many connections do it sooner than one. */
const MAX_ROWS = 32;

/** How many groups share a statement at most: whoever is in it waits for all of it. */
const MAX_GROUPS = 16;

/** How many do while none of its own shared statements is under way: to wait for more would mostly keep Postgres waiting. */
const MAX_GROUPS_WHEN_IDLE = 8;

/** How many requests share a group: its answer makes them all go on at once, and nobody else until they are through. */
const MAX_SAME = { small: 16, large: 4 };

/** How many groups that have not been sent are compared with those that come after them. */
const MAX_OPEN = 32;

/**
 * Lets requests that come in the same turn of the event loop share statements: those that ask for little, whatever that is, and those
 * that ask for the very same. To send a statement and to begin it costs either side more than to read a few rows: shared, the nested
 * query took 0.6 times the CPU time of the server and 0.55 times that of Postgres at 32 connections. A request that comes alone waits
 * for no other, nobody is given what was asked for before his request had come in, and the statements of a request that is looked at
 * are sent for it alone.
 *
 * A statement is sent at the end of the turn, or as soon as another group has come and no more may share it: what is left to do in the
 * turn, such as the answers to others, would only keep Postgres waiting. That gave 1.07 times the random pages at 32 connections, and
 * fewer groups where no shared statement is under way 1.09 times as many again. When a shared statement is refused, each group is read
 * on its own, so that nobody fails by another's fault; Postgres being away is nobody's.
 *
 * @param shared what is asked, and how it is read
 * @returns reads what a request asks for; its trace counts the statement as if it had been its own, and it throws what `read` throws
 */
export function sharedStatement<Ask, Answer>(shared: Shared<Ask, Answer>): (ask: Ask, trace: Trace) => Promise<Answer> {
  const { name, size, rowsFor, areSame } = shared;
  type OneGroup = Group<Ask, Answer>;
  /** Those that others may join, and those that wait for the end of the turn to share a statement: neither have been sent. */
  let open: OneGroup[] = [];
  let waiting: OneGroup[] = [];
  let awaitsEnd = false;
  let sharedUnderWay = 0;

  /** Reads some groups by one statement, which each of their requests counts. */
  const together = async (groups: readonly OneGroup[]): Promise<readonly Answer[]> => {
    const sharers: Trace[] = [];
    for (const { traces } of groups) sharers.push(...traces);
    const trace = Trace.ofAll(sharers);
    let answers: readonly Answer[] = [];
    try {
      const asked = groups.map(({ ask }) => ask);
      answers = await shared.read(asked, trace);
      return answers;
    } finally {
      for (const [i, { ask, traces }] of groups.entries()) {
        const rows = answers.length === 0 ? 0 : rowsFor(ask, answers[i] as Answer);
        for (const one of traces) one.sharedStatement(name, trace, rows);
      }
    }
  };

  const apart = async (group: OneGroup): Promise<Answer> => {
    const { ask, traces } = group;
    const [only] = traces as [Trace];
    const [answer] = traces.length === 1 ? await shared.read([ask], only) : await together([group]);
    return answer as Answer;
  };

  const answer = async (groups: readonly OneGroup[]): Promise<void> => {
    const [first] = groups as [OneGroup];
    if (groups.length === 1) return first.resolve(apart(first));
    sharedUnderWay += 1;
    try {
      const answers = await together(groups);
      for (const [i, { resolve }] of groups.entries()) resolve(answers[i] as Answer);
    } catch (error) {
      for (const group of groups) {
        if (error instanceof DatabaseUnavailable) group.reject(error);
        else group.resolve(apart(group));
      }
    } finally {
      sharedUnderWay -= 1;
    }
  };

  /** Sends groups: who asks for the same from now on comes too late for them. */
  const send = (groups: readonly OneGroup[]): void => {
    open = open.filter((group) => !groups.includes(group));
    void answer(groups);
  };

  const sendWaiting = (): void => {
    const groups = waiting;
    waiting = [];
    send(groups);
  };

  const endTurn = (): void => {
    awaitsEnd = false;
    // All may have been sent before.
    if (waiting.length > 0) sendWaiting();
  };

  return (ask, trace) => {
    const isSmall = size(ask) <= MAX_ROWS;
    if (trace.ownStatements || (areSame === undefined && !isSmall)) {
      return shared.read([ask], trace).then(([answer]) => answer as Answer);
    }
    if (areSame !== undefined) {
      const most = isSmall ? MAX_SAME.small : MAX_SAME.large;
      const same = open.find((group) => group.traces.length < most && areSame(group.ask, ask));
      if (same !== undefined) {
        same.traces.push(trace);
        return same.answer;
      }
    }
    const group = makeGroup<Ask, Answer>(ask, trace);
    if (areSame !== undefined && open.length < MAX_OPEN) open.push(group);
    if (!isSmall) {
      atEndOfTurn(() => send([group]));
      return group.answer;
    }
    waiting.push(group);
    if (!awaitsEnd) atEndOfTurn(endTurn);
    awaitsEnd = true;
    if (waiting.length >= (sharedUnderWay === 0 ? MAX_GROUPS_WHEN_IDLE : MAX_GROUPS)) sendWaiting();
    return group.answer;
  };
}

function makeGroup<Ask, Answer>(ask: Ask, trace: Trace): Group<Ask, Answer> {
  let resolve: Group<Ask, Answer>['resolve'] = () => {};
  let reject: Group<Ask, Answer>['reject'] = () => {};
  const answer = new Promise<Answer>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { ask, traces: [trace], answer, resolve, reject };
}
