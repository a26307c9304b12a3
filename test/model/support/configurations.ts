import type { BROKEN } from '../../races/support/broken.ts';
import type { Configuration } from './search.ts';

const DRAINS = 'run Drainer(false); run Voucher(0, false);';
const HEARS = 'run Drainer(false); run Voucher(0, true);';

const protocol = (machinery: string, ...define: string[]): Configuration => ({
  file: 'protocol.pml',
  define,
  machinery,
});

const STANDBY = ['HERE=1', 'PSQL_ONLY', 'SERVERS=2', 'EARS=1', 'PROMPT_DRAINS', 'EAR_STAYS'];

/** Where a heartbeat lives for one tick, there are few enough states. */
const SHORT = 'BOUND=2';

/** What is searched whole, by what is looked at. */
export const CONFIGURATIONS = {
  'two readings, without memory': protocol(DRAINS, 'ELSEWHERE=2', 'EVICTIONS'),
  'two writers and two writes': protocol(DRAINS, 'ELSEWHERE=1', 'WRITES=2', 'WRITERS=2', 'EVICTIONS'),
  'a late heartbeat': protocol(DRAINS, 'ELSEWHERE=1', 'LATE_BEATS', 'EVICTIONS'),
  'a list': protocol(HEARS, 'LISTS=1', 'PSQL_ONLY'),
  'a list that brings its bodies': protocol(
    HEARS,
    'LISTS=1',
    'HERE=1',
    'PSQL_ONLY',
    'BRINGS',
    SHORT,
    'EARS=1',
    'PROMPT_DRAINS',
  ),
  'a memory': protocol(HEARS, 'HERE=1'),
  'a restart of Redis': protocol(DRAINS, 'ELSEWHERE=1', 'PSQL_ONLY', 'ERAS=1'),
  'a restart of Redis beside a memory': protocol(HEARS, 'HERE=1', 'PSQL_ONLY', 'ERAS=1', 'EARS=1', 'PROMPT_DRAINS'),
  'a lost subscription': protocol(HEARS, 'HERE=1', 'LOSSES', 'EARS=1', 'PROMPT_DRAINS'),
  'a standby that is cut off': protocol(HEARS, ...STANDBY, 'ERAS=0'),
  'a failover without memory': protocol(DRAINS, 'ELSEWHERE=1', 'PSQL_ONLY', 'SERVERS=2', 'ERAS=2'),
  'a failover and back': protocol(HEARS, ...STANDBY, SHORT, 'ERAS=2', 'COMMANDS_STAY'),
  'a failover away from the ear': protocol(HEARS, ...STANDBY, SHORT, 'ERAS=1'),
  'two domains and their outbox': { file: 'outbox.pml', define: [] },
  'a copy of the database': { file: 'token.pml', define: ['LIVES=2'] },
  'a copy that is too soon': { file: 'token.pml', define: ['QUICK_COPY'] },
  'a process that is given up': { file: 'silence.pml', define: [] },
} satisfies Record<string, Configuration>;

type Name = keyof typeof CONFIGURATIONS;

const without = (name: Name, define: string): Configuration => {
  const whole: Configuration = CONFIGURATIONS[name];
  return { ...whole, define: [...whole.define, `WITHOUT_${define}`] };
};

/** The model without one part each, by the names that test/races/support/broken.ts has for them. */
export const LACKING: Readonly<Record<keyof typeof BROKEN, Configuration>> = {
  'the lease': without('two readings, without memory', 'LEASE'),
  'the comparison before a fill': without('two readings, without memory', 'COMPARISON'),
  'the version check': without('a list', 'VERSION_CHECK'),
  'the versions of pages': without('a list', 'PAGE_VERSIONS'),
  'the doubt of what lists bring': without('a list that brings its bodies', 'DOUBT_OF_LISTS'),
  'the outbox': without('two readings, without memory', 'OUTBOX'),
  'the epoch check': without('a restart of Redis', 'EPOCH_CHECK'),
  'the bus': without('a memory', 'BUS'),
  'the invalidation after a write': without('two writers and two writes', 'INVALIDATION'),
  "the heartbeat's deadline": without('a late heartbeat', 'DEADLINE'),
  'the time of an echo': without('a memory', 'TIME_OF_ECHO'),
  'the way back of an echo': without('a memory', 'WAY_BACK'),
  'the epoch of an echo': without('a restart of Redis beside a memory', 'EPOCH_OF_ECHO'),
  'the run of an echo': without('a failover away from the ear', 'RUN_OF_ECHO'),
  'the history of an echo': without('a failover and back', 'HISTORY_OF_ECHO'),
  'the doubt of another connection': without('a standby that is cut off', 'DOUBT'),
  'the history in the epoch': without('a failover without memory', 'HISTORY_IN_EPOCH'),
};

/** Parts beyond those: about many processes and long times. Some of them are taken out by test/races/apart.test.ts, too. */
export const LACKING_MORE = {
  'the snapshot in the position': without('two domains and their outbox', 'SNAPSHOT_POSITION'),
  'the wait for every domain': without('two domains and their outbox', 'EVERY_DOMAIN'),
  'the generation in the epoch': without('two domains and their outbox', 'GENERATION'),
  'the token': without('a copy of the database', 'TOKEN'),
  'the admission': without('a copy of the database', 'ADMISSION'),
  'the turns of the token': without('a copy of the database', 'TURN'),
  'the turn before the admission': without('a copy that is too soon', 'FIRST_TURN'),
  "the ping's bound": without('a process that is given up', 'PING_BOUND'),
  'the time of a ping': without('a process that is given up', 'TIME_OF_PING'),
  'the word to who is given up': without('a process that is given up', 'WORD'),
  'the new name of who was given up': without('a process that is given up', 'NEW_NAME'),
};
