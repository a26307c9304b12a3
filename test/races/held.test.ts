import { setTimeout as sleep } from 'node:timers/promises';
import { t } from 'tap';
import { DEFAULTS } from '../stage/process.ts';
import { Holds } from '../stage/seams.ts';
import { setStage, settle, warm } from '../stage/stage.ts';

const one = { entity: 'Campaign', id: '1' } as const;
const campaign = (id: string) => ({ row: { entity: 'Campaign', id } }) as const;

t.test('a reader that joins another reading late', async (t) => {
  await t.test('is not answered older than the bound', async (t) => {
    const stage = await setStage(t);
    const drainer = await stage.open();
    await settle(stage);
    const holds = new Holds();
    const slow = await stage.open({ seam: holds.seam, drains: false });
    await warm(stage, drainer, one);
    await drainer.stopDraining();
    await stage.write('psql', campaign('1'));
    await sleep(DEFAULTS.maxStalenessMs / 2);
    const select = holds.next('SELECT');
    const first = stage.byId(slow, 'Campaign', ['1', '2']);
    await select.reached();
    await sleep(DEFAULTS.maxStalenessMs);
    const second = stage.byId(slow, 'Campaign', ['1']);
    await sleep(20);
    select.release();
    await Promise.all([first, second]);
    t.same(stage.history.violations, []);
  });

  await t.test('reads what was written while nobody told its process', async (t) => {
    const stage = await setStage(t);
    const writer = await stage.open();
    await settle(stage);
    const holds = new Holds();
    const reader = await stage.open({ seam: holds.seam });
    const select = holds.next('SELECT answered');
    const first = stage.byId(reader, 'Campaign', ['1']);
    await select.reached();
    await stage.keys.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await sleep(10);
    await stage.write(writer, campaign('1'));
    const second = stage.byId(reader, 'Campaign', ['1']);
    await sleep(20);
    select.release();
    await Promise.all([first, second]);
    await stage.byId(reader, 'Campaign', ['1']);
    t.same(stage.history.violations, []);
  });
});

t.test('a body that a slow list named does not grow younger in memory', async (t) => {
  const stage = await setStage(t);
  const drainer = await stage.open();
  await settle(stage);
  const holds = new Holds();
  const slow = await stage.open({ seam: holds.seam, drains: false });
  await warm(stage, drainer, one);
  await drainer.stopDraining();
  const listed = holds.next('list answered');
  const list = stage.list(slow, 'Campaign');
  await listed.reached();
  await stage.write('psql', campaign('1'));
  await sleep(DEFAULTS.maxStalenessMs);
  listed.release();
  await list;
  await stage.byId(slow, 'Campaign', ['1']);
  t.same(stage.history.violations, []);
});

t.test('a reading by id does not take a newer body from a list of the same request', async (t) => {
  const stage = await setStage(t);
  const writer = await stage.open();
  await settle(stage);
  const holds = new Holds();
  const reader = await stage.open({ seam: holds.seam });
  await warm(stage, writer, one);
  const scope = reader.scope();
  const byIdSelect = holds.next('SELECT');
  const byId = stage.byId(reader, 'Campaign', ['1', '999'], scope);
  await byIdSelect.reached();
  await stage.write(writer, campaign('1'));
  await stage.list(reader, 'Campaign', scope);
  await stage.write(writer, campaign('3'));
  const listSelect = holds.next('SELECT answered');
  const list = stage.list(reader, 'Campaign', scope);
  await listSelect.reached();
  byIdSelect.release();
  await byId;
  listSelect.release();
  await list;
  t.same(stage.history.violations, []);
});
