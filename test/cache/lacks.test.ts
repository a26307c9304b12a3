import { t } from 'tap';
import { Lacks } from '../../src/cache/lacks.ts';

t.test('what was lacked three times is expected to be lacked', (t) => {
  const lacks = new Lacks();
  for (let i = 0; i < 2; i += 1) lacks.told('Thing', 5, 5);
  t.notOk(lacks.expected('Thing'));
  lacks.told('Thing', 5, 5);
  t.ok(lacks.expected('Thing'));
  t.notOk(lacks.expected('Other'), 'nor of another kind');
  t.end();
});

t.test('until caches have it again', (t) => {
  const lacks = new Lacks();
  for (let i = 0; i < 100; i += 1) lacks.told('Thing', 1, 1);
  let readings = 0;
  for (; lacks.expected('Thing'); readings += 1) lacks.told('Thing', 10, 0);
  t.ok(readings <= 10, `after ${readings} readings`);
  for (let i = 0; i < 100; i += 1) lacks.told('Thing', 10, 1);
  t.notOk(lacks.expected('Thing'), 'a tenth is not much');
  for (let i = 0; i < 100; i += 1) lacks.told('Thing', 10, i % 2 === 0 ? 7 : 3);
  t.ok(lacks.expected('Thing'), 'half is');
  lacks.told('Thing', 0, 0);
  t.ok(lacks.expected('Thing'), 'what wants nothing says nothing');
  t.end();
});
