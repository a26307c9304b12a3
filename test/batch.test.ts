import * as fc from 'fast-check';
import { t } from 'tap';
import { atEndOfTurn } from '../src/batch.ts';

/** A request: how many levels it asks for one after the other, each when the one before has come. */
const depths = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 20 });

t.test('each level of all requests comes after the one before, and all in one turn', (t) =>
  fc.assert(
    fc.asyncProperty(depths, async (requests) => {
      const order: { request: number; level: number }[] = [];
      const ask = (request: number, level: number): Promise<void> =>
        new Promise((resolve) => {
          atEndOfTurn(() => {
            order.push({ request, level });
            resolve();
          });
        });
      const done = requests.map(async (depth, request) => {
        for (let level = 1; level <= depth; level += 1) {
          await ask(request, level);
          // However long the chain of promises is until the next one is asked for.
          for (let i = 0; i < request; i += 1) await null;
        }
      });
      t.same(order, [], 'nothing while requests are still looked at');
      const expected = [1, 2, 3, 4, 5].flatMap((level) =>
        requests.flatMap((depth, request) => (depth >= level ? [{ request, level }] : [])),
      );
      await new Promise((resolve) => setImmediate(resolve));
      t.same(order, expected);
      await Promise.all(done);
    }),
  ),
);

t.test('what is asked for in a later turn is called back in that one', async (t) => {
  for (let turn = 0; turn < 3; turn += 1) {
    let called = 0;
    for (let i = 0; i < 3; i += 1) {
      atEndOfTurn(() => {
        called += 1;
      });
    }
    await new Promise((resolve) => setImmediate(resolve));
    t.equal(called, 3);
  }
});
