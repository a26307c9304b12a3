import { freshAttack, USUAL } from '../../../test/limits/attacks.ts';

/** How many attack at a time, each with the next attack as soon as the one before is answered. */
const SENDERS = 2;

/** What a sender says when it has stopped. */
export interface Sent {
  readonly attacks: number;
  /** Those that were answered with anything but an error of GraphQL. */
  readonly answered: number;
}

const [url = ''] = process.argv.slice(2);
let going = true;
let attacks = 0;
let answered = 0;

async function attack(first: number): Promise<void> {
  for (let i = first; going; i += SENDERS) {
    const { body } = freshAttack(USUAL[i % USUAL.length] ?? '');
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(`${url}/graphql`, { method: 'POST', headers, body: JSON.stringify(body) });
    if (!(await response.text()).includes('"errors":')) answered += 1;
    attacks += 1;
    if (attacks === USUAL.length) process.send?.('begun');
  }
}

// A process of its own, so that making and sending attacks is no delay of those whose time is taken.
process.once('message', () => {
  going = false;
});
process.once('disconnect', () => process.exit());
await Promise.all(Array.from({ length: SENDERS }, (_, i) => attack(i)));
const sent: Sent = { attacks, answered };
process.send?.(sent, () => process.disconnect());
