import { t } from 'tap';
import { buildGraphQLSchema } from '../../../src/app/schema.ts';
import { systemClock } from '../../../src/clock.ts';
import { createDocuments } from '../../../src/http/documents/documents.ts';
import { RequestRefused } from '../../../src/http/errors/request-refused.ts';
import { freshAttack } from '../../limits/attacks.ts';

/** A document that takes a while to look at, and is new. */
function large(): string {
  const { body } = freshAttack('fields of the same name, deep');
  return (body as { query: string }).query;
}

t.test(
  'a document that others keep waiting for too long is given up, and known when it has been looked at',
  async (t) => {
    const find = createDocuments(buildGraphQLSchema(), 5, systemClock);
    const operationOf = async (text: string) => find(text, null);
    const mine = '{ brands(first: 1) { totalCount } }';
    const others = Promise.allSettled(Array.from({ length: 8 }, () => operationOf(large())));
    const refused = await operationOf(mine).catch((error: unknown) => error);
    t.ok(refused instanceof RequestRefused);
    t.match(refused, { statusCode: 503 });
    await others;
    // One more turn, in which all that waited has had its own.
    let known = await operationOf(mine).catch(() => null);
    while (known === null) known = await operationOf(mine).catch(() => null);
    t.equal(known.isMutation, false);
  },
);
