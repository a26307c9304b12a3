import fc from 'fast-check';
import { PROCESSES, type ScheduledRun } from './scheduled-world.ts';

type Command = fc.AsyncCommand<object, ScheduledRun>;

/** A command that starts something and does not wait for it: what comes after it may overtake it. */
function command(name: string, work: (run: ScheduledRun) => Promise<void>): Command {
  return {
    check: () => true,
    run: async (_model, run) => run.start(work(run)),
    toString: () => name,
  };
}

const process = fc.nat(PROCESSES - 1);
const row = fc.nat(1);

const readById = fc
  .tuple(process, row)
  .map(([p, r]) => command(`process ${p} reads row ${r} by id`, (run) => run.byId(p, [run.row(r)])));

const readBothById = process.map((p) =>
  command(`process ${p} reads both rows by id`, (run) => run.byId(p, [run.row(0), run.row(1)])),
);

const readList = process.map((p) => command(`process ${p} reads the list`, (run) => run.list(p)));

const readBothWays = fc.tuple(process, row).map(([p, r]) =>
  command(`process ${p} reads row ${r} by id and the list in one request`, async (run) => {
    const scope = run.process(p).scope();
    await Promise.all([run.byId(p, [run.row(r)], scope), run.list(p, scope)]);
  }),
);

/** Sooner or later a write is drained; what is drained late repairs what went wrong before, and hides it. */
const write = fc.tuple(process, row, fc.boolean(), fc.boolean()).map(([p, r, remove, drains]) =>
  command(`process ${p} ${remove ? 'deletes' : 'writes'} row ${r}${drains ? ', drained' : ''}`, async (run) => {
    await run.write(p, [run.row(r)], remove);
    if (drains) await run.drain(p);
  }),
);

const psql = fc.tuple(process, row, fc.boolean(), fc.boolean()).map(([p, r, remove, drains]) =>
  command(`psql ${remove ? 'deletes' : 'writes'} row ${r}${drains ? `, drained by ${p}` : ''}`, async (run) => {
    await run.write(null, [run.row(r)], remove);
    if (drains) await run.drain(p);
  }),
);

const psqlBoth = fc
  .boolean()
  .map((remove) =>
    command(`psql ${remove ? 'deletes' : 'writes'} both rows`, (run) =>
      run.write(null, [run.row(0), run.row(1)], remove),
    ),
  );

const rollBack = row.map((r) => command(`psql rolls back row ${r}`, (run) => run.rollBack(run.row(r))));
const drain = process.map((p) => command(`process ${p} drains`, (run) => run.drain(p)));
const drop = row.map((r) => command(`row ${r} is evicted`, (run) => run.drop(run.row(r))));
const flush = fc.constant(command('everything is flushed', (run) => run.drop(null)));

/**
 * What may happen in a run, reads first and most often.
 *
 * @returns sequences of commands
 */
export function commands(): fc.Arbitrary<Iterable<Command>> {
  const reads = [readById, readBothById, readList, readBothWays];
  return fc.commands([...reads, ...reads, write, write, write, psql, psqlBoth, rollBack, drain, drop, flush], {
    maxCommands: 14,
    size: 'max',
  });
}
