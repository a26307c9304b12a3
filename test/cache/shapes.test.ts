import { t } from 'tap';
import { entities } from '../../src/app/entities.ts';
import { campaignRepositoryB, migrateToB } from '../stage/deploy-b.ts';
import { WHOLE_PAGE } from '../stage/pages.ts';
import { setStage } from '../stage/stage.ts';
import { ARRANGEMENTS, openReady } from './support/arrangements.ts';

const FIELDS_A = ['body', 'brandId', 'id', 'title'];
const FIELDS_B = [...FIELDS_A, 'subtitle'].sort();

for (const arrangement of ARRANGEMENTS.filter(({ redis }) => redis)) {
  t.test(`two deploys on one Redis, ${arrangement.name}`, async (t) => {
    const stage = await setStage(t);
    await migrateToB(stage.sql);
    const [a, b] = await Promise.all([openReady(stage, arrangement), openReady(stage, arrangement)]);
    const deploys = [
      { process: a, campaigns: a.repositories.Campaign, fields: FIELDS_A },
      { process: b, campaigns: campaignRepositoryB(b.storage), fields: FIELDS_B },
    ];
    stage.history.declare('Campaign-99', null);
    for (let round = 0; round < 5; round += 1) {
      for (const { process, campaigns, fields } of deploys) {
        // Twice by id and twice by list: from the other deploy's leavings, and from its own.
        for (let i = 0; i < 2; i += 1) {
          const found = await campaigns.findByIds(['1', '2', '99'], process.scope());
          t.same(
            found.map((campaign) => (campaign === null ? null : Object.keys(campaign).sort())),
            [fields, fields, stage.history.newest('Campaign-99') === null ? null : fields],
            'by id, each has its own fields',
          );
          const [page] = await campaigns.list('all', [WHOLE_PAGE], process.scope());
          for (const { entity } of page?.items ?? []) t.same(Object.keys(entity ?? {}).sort(), fields, 'and by list');
          for (const campaign of found) {
            if (campaign !== null) t.equal(campaign.title, stage.history.newest(`Campaign-${campaign.id}`));
          }
        }
        await stage.write(process, { row: { entity: 'Campaign', id: '1' } });
        await stage.write(process, { row: { entity: 'Campaign', id: '99' }, delete: round % 2 === 1 });
      }
    }
    // On a busy machine a command may time out, which has nothing to do with shapes.
    const errors = [...a.errors, ...b.errors].filter(({ message }) => message !== 'Command timed out');
    t.same(errors, [], 'and neither errs');
  });
}

t.test('a shape is what its columns are', async (t) => {
  const campaign = entities.Campaign.define('Campaign');
  t.match(campaign.space, { entity: 'Campaign', shape: /^[0-9a-f]{12}$/ });
  t.not(campaign.space.shape, entities.Event.define('Event').space.shape);
});
