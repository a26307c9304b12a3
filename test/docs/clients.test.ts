import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { codegen } from '@graphql-codegen/core';
import * as typescript from '@graphql-codegen/typescript';
import * as operations from '@graphql-codegen/typescript-operations';
import { parse } from 'graphql';
import {
  type ConcreteRequest,
  ConnectionHandler,
  commitMutation,
  type Environment,
  type ReaderFragment,
} from 'relay-runtime';
import { t } from 'tap';
import { REPOSITORY } from '../../src/cli/services/state-directory.ts';
import { ask, paginate } from '../relay/client.ts';
import { globalId, makeData } from '../support/data.ts';
import { runCli } from '../support/run-cli.ts';
import { startServer } from '../support/server.ts';
import { bearer, JWT_SECRET } from '../support/token.ts';
import { type Block, blocks, section } from './document.ts';

const SIZE = { brands: 2, campaigns: 5, events: 20, perCampaign: 8 };
const SCHEMA = join(REPOSITORY, 'schema.graphql');

/** The blocks of a section of docs/clients.md in a language. */
const shown = (title: string, language: string): Block[] =>
  blocks(section('docs/clients.md', title)).filter((block) => block.language === language);

/** Loads a block of TypeScript as the module that it is. */
async function load<Module>(block: Block | undefined, directory: string): Promise<Module> {
  writeFileSync(join(directory, 'block.ts'), block?.text ?? '');
  return (await import(join(directory, 'block.ts'))) as Module;
}

t.test('Relay: persisted queries, pages, and @appendEdge', async (t) => {
  const directory = t.testdir({ src: {} });
  const [config] = shown('Relay', 'json');
  writeFileSync(join(directory, 'relay.config.json'), config?.text ?? '');
  writeFileSync(join(directory, 'persisted.json'), '{}');
  copyFileSync(SCHEMA, join(directory, 'schema.graphql'));
  const modules = shown('Relay', 'js');
  for (const [i, { text }] of modules.entries())
    writeFileSync(join(directory, 'src', i === 0 ? 'Events.js' : 'AddEvent.js'), text);
  mkdirSync(join(directory, 'artifacts'));
  const compiler = join(REPOSITORY, 'node_modules', '.bin', 'relay-compiler');
  const compiled = spawnSync(compiler, ['relay.config.json', '--noWatchman'], { cwd: directory, encoding: 'utf8' });
  t.equal(compiled.status, 0, compiled.stdout + compiled.stderr);

  const documents = join(directory, 'documents.json');
  const checked = await runCli('documents', [join(directory, 'persisted.json'), '--out', documents], {});
  t.equal(checked.code, 0, checked.stderr);
  t.equal(Object.keys(JSON.parse(readFileSync(documents, 'utf8'))).length, 3, 'two queries and a mutation');

  const server = await startServer(t, {
    env: { TRUSTED_DOCUMENTS_FILE: documents, TRUSTED_DOCUMENTS: 'only', JWT_SECRET },
  });
  await makeData(server.sql, SIZE);
  const { createEnvironment } = await load<{ createEnvironment(url: string, token: string): Environment }>(
    shown('Relay', 'ts')[0],
    directory,
  );
  const token = bearer().authorization.replace('Bearer ', '');
  const environment = createEnvironment(`${server.url}/graphql`, token);
  const require = createRequire(join(directory, 'artifacts', 'index.js'));
  const artifact = <Kind>(name: string) => require(`./${name}.graphql.js`) as Kind;
  const campaign = globalId('Campaign', 3);
  const data = await ask<{ node: { campaign: unknown } }>(environment, artifact<ConcreteRequest>('EventsQuery'), {
    id: campaign,
  });
  const events = paginate<{ id: string }>(environment, artifact<ReaderFragment>('Events_campaign'), data.node.campaign);
  const ids = () => events.connection().edges.map(({ node }) => node.id);
  t.equal(ids().length, 3);
  await events.loadNext(5);
  t.equal(ids().length, 8, 'the pages are one list');
  t.notOk(events.hasNext());

  const others = [...Array(SIZE.events).keys()]
    .map((i) => globalId('Event', i + 1))
    .filter((id) => !ids().includes(id));
  const connection = ConnectionHandler.getConnectionID(campaign, 'Events_events');
  const variables = { input: { campaignId: campaign, eventId: others[0] }, connections: [connection] };
  await new Promise<void>((resolve, reject) => {
    const mutation = artifact<ConcreteRequest>('AddEventMutation');
    commitMutation(environment, { mutation, variables, onError: reject, onCompleted: () => resolve() });
  });
  t.equal(ids().at(-1), others[0], 'the new edge is in the list');
});

/** What a client's answer to the query of campaigns has. */
interface Campaigns {
  readonly campaigns: {
    readonly edges: readonly { readonly node: { readonly id: string } }[];
    readonly pageInfo: { readonly endCursor: string };
  };
}

const CAMPAIGNS = parse(shown('Apollo Client', 'graphql')[0]?.text ?? '');
const idsOf = ({ campaigns }: Campaigns) => campaigns.edges.map(({ node }) => node.id);
const FOUR = [1, 2, 3, 4].map((id) => globalId('Campaign', id));

t.test('Apollo Client merges pages by relayStylePagination', async (t) => {
  const server = await startServer(t, { redis: null });
  await makeData(server.sql, SIZE);
  const { createClient } = await load<{
    createClient(url: string): {
      query(options: object): Promise<{ data?: Campaigns }>;
      watchQuery(options: object): { fetchMore(options: object): Promise<unknown> };
      readQuery(options: object): Campaigns | null;
      stop(): void;
    };
  }>(shown('Apollo Client', 'ts')[0], t.testdir({}));
  const client = createClient(`${server.url}/graphql`);
  t.teardown(() => client.stop());
  const { data } = await client.query({ query: CAMPAIGNS });
  const after = data?.campaigns.pageInfo.endCursor;
  await client.watchQuery({ query: CAMPAIGNS }).fetchMore({ variables: { after } });
  const all = client.readQuery({ query: CAMPAIGNS });
  t.same(all && idsOf(all), FOUR);
});

t.test('urql merges pages by relayPagination', async (t) => {
  const server = await startServer(t, { redis: null });
  await makeData(server.sql, SIZE);
  const { createClient } = await load<{
    createClient(url: string): {
      query(query: object, variables: object, context?: object): { toPromise(): Promise<{ data?: Campaigns }> };
    };
  }>(shown('urql', 'ts')[0], t.testdir({}));
  const client = createClient(`${server.url}/graphql`);
  const { data } = await client.query(CAMPAIGNS, {}).toPromise();
  await client.query(CAMPAIGNS, { after: data?.campaigns.pageInfo.endCursor }).toPromise();
  const all = await client.query(CAMPAIGNS, {}, { requestPolicy: 'cache-only' }).toPromise();
  t.same(all.data && idsOf(all.data), FOUR);
});

t.test('GraphQL Code Generator knows the scalars', async (t) => {
  const { default: config } = await load<{
    default: { generates: Record<string, { plugins: string[]; config: Record<string, unknown> }> };
  }>(shown('Types from the schema', 'ts')[0], t.testdir({}));
  const [[filename = '', output] = []] = Object.entries(config.generates);
  t.same(output?.plugins, ['typescript', 'typescript-operations']);
  const text = await codegen({
    filename,
    schema: parse(readFileSync(SCHEMA, 'utf8')),
    documents: [{ location: 'campaigns.graphql', document: CAMPAIGNS }],
    plugins: (output?.plugins ?? []).map((name) => ({ [name]: {} })),
    pluginMap: { typescript, 'typescript-operations': operations },
    config: output?.config ?? {},
  });
  t.match(text, /DateTime: \{ input: string; output: string; \}/);
  t.match(text, 'export type CampaignsQuery =');
});
