import { t } from 'tap';
import { parseWholeNumber, UsageError } from '../../src/commands/command.ts';

t.test('a number is written in digits, and neither too small nor too big', async (t) => {
  t.equal(parseWholeNumber('events', '0', 0), 0);
  t.equal(parseWholeNumber('events', '1000000', 0), 1_000_000);
  for (const text of ['', 'x', '1e3', '-1', '+1', '1.5', ' 1', '0x10', '99999999999']) {
    t.throws(
      () => parseWholeNumber('events', text, 0),
      new UsageError(`--events ${text}: expected a whole number of at least 0.`),
    );
  }
  t.throws(() => parseWholeNumber('campaigns', '0', 1), UsageError);
});
