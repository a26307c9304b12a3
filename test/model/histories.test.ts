import { t } from 'tap';
import { findOrInstallSpin } from '../../src/cli/services/spin.ts';
import type { HistoryEvent, ReadPath } from '../stage/history.ts';
import { accepts, sampleOf } from './support/accepts.ts';

const LIMIT_MS = 240_000;

const write = (kind: 'sent' | 'committed' | 'answered', version: number, at: number): HistoryEvent => ({
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

const accepted = async (...events: HistoryEvent[]) =>
  accepts(
    await findOrInstallSpin(),
    sampleOf(
      events.sort((a, b) => a.at - b.at),
      'somebody',
    ),
    LIMIT_MS,
  );

/** A write of psql: nobody is told of it. */
const byPsql = [write('sent', 1, 1000), write('committed', 1, 1010)];
const byApi = [...byPsql, write('answered', 1, 1020)];

t.test('accepts what the protocol may do', async (t) => {
  t.ok(await accepted(...byApi, read('id', 1, 1030, 1040), read('list', 1, 1050, 1060)), 'a read after a write');
  t.ok(await accepted(read('id', 0, 990, 1100), ...byApi), 'one that began before');
  t.ok(await accepted(read('id', 0, 900, 910), ...byPsql, read('id', 0, 1500, 1510)), 'an old body, for a while');
});

t.test('refuses what it may not', async (t) => {
  t.notOk(await accepted(...byApi, read('id', 0, 1030, 1040)), 'an old body after a mutation was answered');
  t.notOk(await accepted(...byPsql, read('list', 0, 1030, 1040)), 'an old body through a list');
  t.notOk(await accepted(read('id', 1, 900, 910), ...byApi), 'a body before its commit was sent');
  t.notOk(await accepted(...byPsql, read('id', 0, 6000, 6010)), 'an old body after the bound');
});
