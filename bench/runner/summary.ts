import type { PeerName } from './peers.ts';
import { medianOver, type Results, ratioOf } from './results.ts';
import { targetsOf } from './targets.ts';
import { KINDS, type Traffic } from './traffic.ts';

/** What the summary says of some traffic: how Larder does beside a peer, and why. */
interface Line {
  readonly what: string;
  readonly traffic: readonly Traffic[];
  readonly peer: keyof typeof BESIDE;
  readonly why: string;
}

/** What the summary calls the peers. */
const BESIDE = {
  postgraphile: 'PostGraphile V5',
  'route-splice': 'the route that splices it',
  'route-json': 'that route',
  'response-cache': 'the whole-response cache',
} satisfies Partial<Record<PeerName, string>>;

const LINES: readonly Line[] = [
  {
    what: 'many readers, warm caches',
    traffic: ['nested', 'random', 'threeLevels', 'mix'],
    peer: 'postgraphile',
    why: 'requests that come together share statements, and bodies come from memory',
  },
  {
    what: 'large pages',
    traffic: ['wide', 'heavy', 'lone-heavy'],
    peer: 'postgraphile',
    why: 'Postgres reads no body and makes no JSON of it',
  },
  {
    what: 'an entity by id',
    traffic: ['byId', 'lone-byId'],
    peer: 'postgraphile',
    why: 'memory answers, and Postgres is not asked',
  },
  {
    what: 'a reader alone',
    traffic: ['lone-nested', 'lone-random'],
    peer: 'postgraphile',
    why: 'there is nobody to share statements with, and a page takes two round trips where a join takes one',
  },
  {
    what: 'caches that have nothing, or half',
    traffic: ['cold', 'half', 'lone-cold', 'lone-half'],
    peer: 'postgraphile',
    why: 'what is missing is leased and filled for those who come next, and this one waits for more statements',
  },
  {
    what: 'beside JSON that is ready-made',
    traffic: ['heavy', 'lone-heavy'],
    peer: 'route-splice',
    why: 'that route knows its pages, and parses, checks and prices no query',
  },
  {
    what: 'beside one statement that makes the JSON',
    traffic: ['nested', 'wide', 'lone-nested'],
    peer: 'route-json',
    why: 'Postgres makes the text each time, which costs the more the larger the page is',
  },
  {
    what: 'beside the finished answer',
    traffic: ['wide', 'threeLevels'],
    peer: 'response-cache',
    why: 'it asks nobody, and does not see what others write',
  },
];

/**
 * Writes in ten lines what is fast, what is not, and why.
 *
 * @param results all that was measured
 * @returns the lines of a Markdown list; of what was not measured none
 */
export function summaryOf(results: Results): string[] {
  const compared = LINES.flatMap(({ what, traffic, peer, why }) => {
    const ratios = traffic.flatMap((one) => {
      const ratio = ratioOf(results, one, 'larder', peer);
      return ratio === null ? [] : [{ name: nameOf(one), ratio }];
    });
    if (ratios.length === 0) return [];
    const least = Math.min(...ratios.map(({ ratio }) => ratio));
    const found = ratios.map(({ name, ratio }) => `${name} ${ratio.toFixed(1)} ×`).join(', ');
    return [`- **${verdict(least)}**: ${what}. ${found} the requests of ${BESIDE[peer]}: ${why}.`];
  });
  const [own, bare] = [
    medianOver(results, 'byId', 'larder', (sample) => sample.serverCpu),
    medianOver(results, 'byId', 'route-bare', (sample) => sample.serverCpu),
  ];
  const cpu =
    own === null || bare === null
      ? []
      : [
          `- An entity by id takes ${(own / bare).toFixed(1)} × the CPU time of a bare Fastify route that sends the same bytes.`,
        ];
  const targets = targetsOf(results);
  const reached = targets.filter(({ passed }) => passed).length;
  return [
    ...compared,
    ...cpu,
    `- ${reached} of ${targets.length} targets are reached; [all of them](#results) stand below, with what is missing.`,
  ];
}

/** Larder's own word for how it does: at worst. */
function verdict(least: number): string {
  if (least >= 2) return 'Fast';
  return least >= 1 ? 'Level or better' : 'Not fast';
}

function nameOf(traffic: Traffic): string {
  const name = traffic
    .replace('lone-', '')
    .replace('byId', 'by id')
    .replace('threeLevels', 'three levels')
    .replace('half', 'half warm')
    .replace('mix', 'with 5 % writes');
  return KINDS[traffic].lone ? `alone ${name}` : name;
}
