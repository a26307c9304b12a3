import { atEndOfTurn } from '../batch.ts';
import { Trace } from '../trace/trace.ts';
import { DatabaseUnavailable } from './errors.ts';

/** A statement that requests share: what they ask, and how it is read. */
export interface Shared<Ask, Answer> {
  /** The statement's name in metrics. */
  readonly name: string;
  /**
   * Reads by one statement what is asked.
   *
   * @param asked what one request or several ask
   * @param trace the trace of the request, or of all of them
   * @returns an answer for each, in order
   */
  read(asked: readonly Ask[], trace: Trace): Promise<readonly Answer[]>;
  /**
   * @param ask what a request asks
   * @returns how many rows it takes at most; infinite when that is not known
   */
  size(ask: Ask): number;
  /**
   * @param ask what a request asks
   * @param answer its answer
   * @returns how many of the statement's rows are for this answer
   */
  rowsFor(ask: Ask, answer: Answer): number;
  /**
   * @param a what a request asks
   * @param b what another asks
   * @returns whether both ask for the very same; when it is left out, nothing is the same
   */
  areSame?(a: Ask, b: Ask): boolean;
}

/** What one request asks, or several that ask for the very same, and their promises. */
interface Group<Ask, Answer> {
  readonly ask: Ask;
  readonly traces: Trace[];
  readonly answer: Promise<Answer>;
  resolve(answer: Answer | Promise<Answer>): void;
  reject(reason: unknown): void;
}

/** The most rows of a group that shares its statement. Larger ones are faster on several connections than in one statement. */
const MAX_ROWS = 32;

/** How many groups share a statement at most. Each of them waits for all of it. */
const MAX_GROUPS = 16;

/** How many groups share it while none of its shared statements is under way. Waiting for more would mostly keep Postgres idle. */
const MAX_GROUPS_WHEN_IDLE = 8;

/** How many requests share a group. Its answer resumes all of them, and nothing else runs until they are through. */
const MAX_SAME = { small: 16, large: 4 };

/** How many unsent groups are compared with those that come after them. */
const MAX_OPEN = 32;

/**
 * Lets requests in the same turn of the event loop share statements: those for few rows, whatever they ask, and those that ask for the very
 * same. Sending and starting a statement costs both sides more than reading a few rows.
 *
 * A request alone waits for no other. An answer is never older than its request. An inspected or traced request shares no statement.
 *
 * A statement is sent at the end of the turn, or as soon as it is full. Otherwise the rest of the turn would keep Postgres idle. When
 * Postgres refuses a shared statement, each group is read on its own, so that no request fails because of another. When Postgres is away,
 * all of them fail.
 *
 * @param shared what is asked, and how it is read
 * @returns reads what a request asks; its trace counts the statement as its own, and it throws what `read` throws
 */
export function sharedStatement<Ask, Answer>(shared: Shared<Ask, Answer>): (ask: Ask, trace: Trace) => Promise<Answer> {
  const { name, size, rowsFor, areSame } = shared;
  type OneGroup = Group<Ask, Answer>;
  /** The groups that others may join, and those that wait for the end of the turn. None of either has been sent. */
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

  /** Sends groups. A request that asks for the same later gets a new group. */
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
