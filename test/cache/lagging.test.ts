import { t } from 'tap';
import { Sightings } from '../../src/cache/lagging.ts';

t.test('a body that was there before a replica came so far is older than what it names', async (t) => {
  const sightings = new Sightings();
  t.equal(sightings.mayBeNewer('Book-1', '7', 50, 100), true, 'seen for the first time');
  t.equal(
    sightings.mayBeNewer('Book-1', '7', 100, 110),
    true,
    'the replica may lack what was there at that very moment',
  );
  t.equal(sightings.mayBeNewer('Book-1', '7', 101, 120), false, 'the replica has all that was there');
  t.equal(sightings.mayBeNewer('Book-1', '8', 101, 120), true, 'another body');
  t.equal(sightings.mayBeNewer('Book-1', null, 101, 120), true, 'none');
  t.equal(sightings.mayBeNewer('Book-2', '7', 101, 120), true, 'of another entity');
  t.equal(sightings.mayBeNewer('Book-1', null, 121, 130), false);
});
