import { t } from 'tap';
import { systemClock } from '../../src/clock.ts';
import { Gate, GateClosed } from '../../src/postgres/gate.ts';

/** Lets every promise that can go on do so. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

t.test('lets in as many as it has places for, and the others in the order in which they came', async (t) => {
  const gate = new Gate(2, 10, systemClock);
  const entered: number[] = [];
  for (let i = 0; i < 5; i += 1) void gate.enter(60_000).then(() => entered.push(i));
  await settle();
  t.same({ entered, inside: gate.inside, waiting: gate.waiting }, { entered: [0, 1], inside: 2, waiting: 3 });
  gate.leave();
  await settle();
  t.same({ entered, inside: gate.inside, waiting: gate.waiting }, { entered: [0, 1, 2], inside: 2, waiting: 2 });
  gate.leave();
  gate.leave();
  await settle();
  t.same(entered, [0, 1, 2, 3, 4]);
  gate.leave();
  gate.leave();
  t.same({ inside: gate.inside, waiting: gate.waiting }, { inside: 0, waiting: 0 });
});

t.test('turns away at once who would wait behind too many', async (t) => {
  const gate = new Gate(1, 1, systemClock);
  await gate.enter(60_000);
  const waiting = gate.enter(60_000);
  await t.rejects(gate.enter(60_000), GateClosed);
  await t.rejects(gate.enter(60_000), { message: '1 statements wait already' });
  gate.leave();
  await waiting;
  t.equal(gate.inside, 1);
});

t.test('turns away who has waited for too long, and gives the place to the next', async (t) => {
  const gate = new Gate(1, 10, systemClock);
  await gate.enter(60_000);
  const impatient = gate.enter(20);
  const patient = gate.enter(60_000);
  await t.rejects(impatient, { name: 'GateClosed', message: 'no place within 20 ms' });
  t.equal(gate.waiting, 1);
  gate.leave();
  await patient;
  t.same({ inside: gate.inside, waiting: gate.waiting }, { inside: 1, waiting: 0 });
});

t.test('does not let in who has no time left, even where there is a place', async (t) => {
  const gate = new Gate(1, 1, systemClock);
  await t.rejects(gate.enter(0), { name: 'GateClosed', message: 'no time is left' });
  await t.rejects(gate.enter(-5), GateClosed);
  t.equal(gate.inside, 0);
});
