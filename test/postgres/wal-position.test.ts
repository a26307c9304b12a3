import { t } from 'tap';
import { KnownPositions } from '../../src/postgres/known-positions.ts';
import { endOfLog, later, parsePosition } from '../../src/postgres/wal-position.ts';

t.test('places in the log are texts in their order', async (t) => {
  t.equal(parsePosition('0/16B3748'), '00000000016B3748');
  t.equal(parsePosition('1A/0'), '0000001A00000000');
  t.equal(parsePosition('0000001a0000000F'), '0000001A0000000F');
  t.ok((parsePosition('0/FFFFFFFF') ?? '') < (parsePosition('1/0') ?? ''));
  for (const none of ['', '0', '0/', '/0', '0/123456789', ' 0/1', '0/1 ', '0/G', '0000001A0000000F0']) {
    t.equal(parsePosition(none), null, none);
  }
  t.equal(later('00000000FFFFFFFF', 1), '0000000100000000');
});

t.test('the header of a page is nothing that has to be read', async (t) => {
  const page = '0000000003002000';
  t.equal(endOfLog('0000000003002018'), page, 'the header of a page');
  t.equal(endOfLog('0000000003000028'), '0000000003000000', 'that of a file');
  t.equal(endOfLog(page), page);
  t.equal(endOfLog('0000000003002048'), '0000000003002048', 'a record behind it');
});

t.test('how old a state is follows from when the primary was where', async (t) => {
  const known = new KnownPositions();
  t.equal(known.asOf('F'), null);
  t.equal(known.last, null);
  known.note(100, 'A');
  known.note(200, 'B');
  // Nothing was written between these two.
  known.note(300, 'B');
  known.note(400, 'C');
  t.equal(known.asOf('9'), null, 'longer ago than anybody knows');
  t.equal(known.asOf('A'), 100);
  t.equal(known.asOf('B'), 300);
  t.equal(known.asOf('F'), 400, 'what it has beyond was not there yet');
  t.equal(known.last, 'C');
  for (let i = 0; i < 1000; i += 1) known.note(500 + i, 'D');
  t.equal(known.asOf('C'), null, 'what is long ago is forgotten');
});
