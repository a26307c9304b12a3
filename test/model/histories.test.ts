import { t } from 'tap';
import { findOrInstallSpin } from '../../src/cli/services/spin.ts';
import type { HistoryEvent, ReadPath } from '../stage/history.ts';
import { judge } from './support/accepts.ts';
import { sampleOf } from './support/sample.ts';

const write = (kind: 'sent' | 'committed' | 'answered' | 'undone', version: number, at: number): HistoryEvent => ({
  key: 'Brand-1',
  kind,
  version,
  at,
});

const read = (path: ReadPath, version: number, begunAt: number, at: number): HistoryEvent => ({
  key: 'Brand-1',
  kind: 'read',
  reader: 'somebody',
  path,
  version,
  begunAt,
  at,
});

const verdictOn = async (...events: HistoryEvent[]) =>
  judge(
    await findOrInstallSpin(),
    sampleOf(
      events.sort((a, b) => a.at - b.at),
      'somebody',
      3,
    ),
  );

/** A write of psql: nobody is told of it. */
const byPsql = [write('sent', 1, 1000), write('committed', 1, 1010)];
const byApi = [...byPsql, write('answered', 1, 1020)];
const rolledBack = [write('sent', 1, 1000), write('undone', 1, 1010)];

t.test('accepts what the protocol may do', async (t) => {
  const accepted = async (name: string, ...events: HistoryEvent[]) =>
    t.equal(await verdictOn(...events), 'accepted', name);
  await accepted('a read after a write', ...byApi, read('id', 1, 1030, 1040), read('list', 1, 1050, 1060));
  await accepted('one that began before', read('id', 0, 990, 1100), ...byApi);
  await accepted('an old body, for a while', read('id', 0, 900, 910), ...byPsql, read('id', 0, 1500, 1510));
  await accepted('what was there before a write that was rolled back', ...rolledBack, read('list', 0, 1030, 1040));
  await accepted(
    'a write after one that was rolled back',
    ...rolledBack,
    write('sent', 2, 1050),
    write('committed', 2, 1060),
    read('list', 2, 1070, 1080),
  );
});

t.test('refuses what it may not', async (t) => {
  const refused = async (name: string, ...events: HistoryEvent[]) =>
    t.equal(await verdictOn(...events), 'refused', name);
  await refused('an old body after a mutation was answered', ...byApi, read('id', 0, 1030, 1040));
  await refused('an old body through a list', ...byPsql, read('list', 0, 1030, 1040));
  await refused('a body before its commit was sent', read('id', 1, 900, 910), ...byApi);
  await refused('what was rolled back', ...rolledBack, read('id', 1, 1030, 1040));
  await refused('an old body after the bound', ...byPsql, read('id', 0, 6000, 6010));
});
