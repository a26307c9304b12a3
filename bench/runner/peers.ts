import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { REPOSITORY } from '../../src/cli/services/state-directory.ts';
import { postgraphileDialect } from './dialects/postgraphile.ts';
import { relayDialect } from './dialects/relay.ts';
import { routesDialect } from './dialects/routes.ts';
import type { Dialect, QueryName } from './queries.ts';
import { JWT_SECRET, writeToken } from './token.ts';

/** What each server is to Larder. */
export const PEER_NAMES = [
  'larder',
  'larder-redis-only',
  'larder-node-22',
  'proof-of-concept',
  'postgraphile',
  'pothos-drizzle',
  'pothos-prisma',
  'mercurius-cache',
  'response-cache',
  'response-cache-new',
  'route-ids',
  'route-splice',
  'route-json',
  'route-bare',
] as const;

/** The name of a server. */
export type PeerName = (typeof PEER_NAMES)[number];

/** A server to measure. */
export interface Peer {
  readonly name: PeerName;
  /** As it stands in tables. */
  readonly title: string;
  readonly dialect: Dialect;
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** What it is asked; all that its dialect knows when absent. */
  readonly only?: readonly QueryName[];
  readonly kind: 'larder' | 'graphql' | 'finished answer' | 'route';
  /** Asks Postgres each time, so that there is no cache to fill. */
  readonly cacheless?: boolean;
  /** Gives every request a session of its own, so that a response cache has never seen it. */
  readonly sessions?: boolean;
}

/** The command that serves Larder in production, from package.json, so that its flags are the ones that are used. */
function larderCommand(): string[] {
  const { scripts } = JSON.parse(readFileSync(join(REPOSITORY, 'package.json'), 'utf8')) as {
    scripts: { start: string };
  };
  const words = scripts.start.split(/\s+/).filter((word) => word !== 'exec');
  return words.map((word) => (word.startsWith('dist/') ? join(REPOSITORY, word) : word));
}

/** Every server runs with the flags that Larder runs with. */
function peerCommand(file: string): string[] {
  const flags = larderCommand().filter((word) => word.startsWith('--'));
  return ['node', ...flags, join(REPOSITORY, 'bench', 'dist', 'peers', file)];
}

/** PostGraphile asks for Node 22, which npm's package `node` brings, and Larder shows what that alone does. */
function onNode22([, ...command]: readonly string[]): string[] {
  return [join(REPOSITORY, 'bench', 'node_modules', 'node', 'bin', 'node'), ...command];
}

/** Production, with the limits, and room for what is asked here: the largest page that is measured costs 1,201 points. */
const LARDER = {
  MAX_COST: '100000',
  JWT_SECRET,
  // Nobody has to go elsewhere: a server that stops is waited for.
  SHUTDOWN_DELAY_MS: '0',
  LOG_LEVEL: 'warn',
};

const larderDialect = relayDialect('nodes', { authorization: `Bearer ${writeToken()}` });

/** What those are asked who take a second for the wide page as it is. */
const ALL_BUT_HEAVY: readonly QueryName[] = ['nested', 'wide', 'random', 'byId', 'threeLevels', 'mutation'];

/** All of them; the order is that of the table. */
export const PEERS: readonly Peer[] = [
  {
    name: 'larder',
    title: 'Larder',
    kind: 'larder',
    dialect: larderDialect,
    command: larderCommand(),
    env: { ...LARDER, CACHE_PREFIX: 'a:' },
  },
  {
    name: 'larder-redis-only',
    title: 'Larder, Redis only',
    kind: 'larder',
    dialect: larderDialect,
    command: larderCommand(),
    env: { ...LARDER, CACHE_PREFIX: 'b:', MEMORY_MAX_ENTRIES: '0' },
  },
  {
    name: 'larder-node-22',
    title: 'Larder, on Node 22',
    kind: 'larder',
    dialect: larderDialect,
    command: onNode22(larderCommand()),
    env: { ...LARDER, CACHE_PREFIX: 'c:' },
    only: ['nested', 'wide', 'random', 'byId'],
  },
  {
    name: 'proof-of-concept',
    title: "the proof of concept's algorithm (N+1)",
    kind: 'graphql',
    dialect: relayDialect('nodes'),
    command: peerCommand('proof-of-concept.js'),
    env: {},
  },
  {
    name: 'postgraphile',
    title: 'PostGraphile V5',
    kind: 'graphql',
    cacheless: true,
    dialect: postgraphileDialect(),
    command: onNode22(peerCommand('postgraphile.js')),
    env: { GRAPHILE_ENV: 'production' },
  },
  {
    name: 'pothos-drizzle',
    title: 'Pothos + Drizzle plugin',
    kind: 'graphql',
    cacheless: true,
    dialect: relayDialect('edges'),
    command: peerCommand('pothos-drizzle/server.js'),
    env: {},
    only: ALL_BUT_HEAVY,
  },
  {
    name: 'pothos-prisma',
    title: 'Pothos + Prisma plugin',
    kind: 'graphql',
    cacheless: true,
    dialect: relayDialect('edges'),
    command: peerCommand('pothos-prisma/server.js'),
    env: {},
    only: ALL_BUT_HEAVY,
  },
  {
    name: 'mercurius-cache',
    title: 'mercurius-cache in memory, every field a hit',
    kind: 'finished answer',
    dialect: relayDialect('nodes'),
    command: peerCommand('mercurius-cache.js'),
    env: {},
  },
  {
    name: 'response-cache',
    title: 'whole-response cache in memory, every request a hit',
    kind: 'finished answer',
    dialect: relayDialect('edges'),
    command: peerCommand('response-cache.js'),
    env: {},
  },
  {
    name: 'response-cache-new',
    title: 'whole-response cache in memory, every request new',
    kind: 'finished answer',
    dialect: relayDialect('edges'),
    command: peerCommand('response-cache.js'),
    env: {},
    only: ['random'],
    sessions: true,
  },
  {
    name: 'route-ids',
    title: 'route by hand: 2 id statements, 2 MGET, JSON',
    kind: 'route',
    dialect: routesDialect(),
    command: peerCommand('route-ids.js'),
    env: {},
  },
  {
    name: 'route-splice',
    title: 'route by hand: 2 id statements, 1 MGET, JSON spliced as bytes',
    kind: 'route',
    dialect: routesDialect(),
    command: peerCommand('route-splice.js'),
    env: {},
  },
  {
    name: 'route-json',
    title: 'route by hand: 1 statement making the JSON',
    kind: 'route',
    cacheless: true,
    dialect: routesDialect(),
    command: peerCommand('route-json.js'),
    env: {},
  },
  {
    name: 'route-bare',
    title: 'bare route: the request parsed, the bytes of the answer sent',
    kind: 'route',
    cacheless: true,
    dialect: relayDialect('nodes'),
    command: peerCommand('route-bare.js'),
    env: {},
    only: ['byId'],
  },
];

/**
 * @param peer the server
 * @returns what it is asked
 */
export function queriesOf(peer: Peer): readonly QueryName[] {
  return peer.only ?? peer.dialect.queries;
}

/**
 * @param name which one
 * @returns the server of that name
 */
export function peerOf(name: PeerName): Peer {
  const peer = PEERS.find((known) => known.name === name);
  if (peer === undefined) throw new TypeError(`There is no peer ${name}.`);
  return peer;
}
