import { t } from 'tap';
import { compileClient } from './compile.ts';

t.test('relay-compiler compiles a client against the committed schema', async (t) => {
  const client = compileClient(t);
  t.equal(client.exitCode, 0, client.said);
  t.strictSame(client.artifacts, [
    'CampaignEventsPaginationQuery',
    'CampaignEventsQuery',
    'CampaignEvents_campaign',
    'CampaignHeaderRefetchQuery',
    'CampaignHeader_campaign',
    'CampaignListPaginationQuery',
    'CampaignListQuery',
    'CampaignList_query',
  ]);

  t.strictSame(
    client.fragment('CampaignEvents_campaign').metadata?.refetch?.connection,
    {
      forward: { count: 'first', cursor: 'after' },
      backward: { count: 'last', cursor: 'before' },
      path: ['events'],
    },
    '@connection pages in both directions',
  );
  t.equal(client.fragment('CampaignHeader_campaign').metadata?.refetch?.identifierInfo?.identifierField, 'id');
  t.match(
    client.query('CampaignHeaderRefetchQuery').params.text,
    'node(id: $id)',
    '@refetchable reads an entity by its global id',
  );
});

t.test('relay-compiler refuses what the schema does not have', async (t) => {
  const client = compileClient(t, {
    'Wrong.js': 'graphql`query WrongQuery { campaigns(first: 1) { edges { node { price } } } }`;',
  });
  t.equal(client.exitCode, 1);
  t.match(client.said, 'The type `Campaign` has no field `price`');
  t.strictSame(client.artifacts, []);
});
