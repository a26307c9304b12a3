import type { Presented, Share } from '../../../src/cache/share.ts';
import { startDrainer } from '../../../src/outbox/drainer.ts';
import { Membership } from '../../../src/outbox/membership.ts';
import type { Parts } from '../../stage/process.ts';
import { SeamedRedisTier } from '../../stage/seams.ts';

type DrainerOptions = Parameters<NonNullable<Parts['drainer']>>[0];

/** Vouches by the run of Redis alone: what was missed while nobody waited for the domain is not noticed. */
class GenerationBlind extends SeamedRedisTier {
  override present(share: Share, ms: number): Promise<Presented> {
    return super.present({ ...share, generation: '' }, ms);
  }
}

/** Takes each change out of the outbox for itself, so that no other domain hears of it. */
function takesAll({ database, cache, redis, boundMs, onError, onRefused }: DrainerOptions) {
  if (redis === null) throw new TypeError('Without Redis there is nobody to tell.');
  const member = new Membership({ database, cache, redis, onRefused });
  const round = async () => {
    const standing = await member.stand();
    if (standing === null) return;
    const changed = await database.query<{ entity: string; id: string }>(
      'delete from cache_outbox returning entity, entity_id as id',
    );
    await cache.invalidate(changed, false);
    await member.present(standing.domain, boundMs, standing.lookedAt);
  };
  const timer = setInterval(() => void round().catch(onError), 100);
  return {
    status: () => null,
    refused: () => member.refused,
    problem: () => null,
    stop: async () => clearInterval(timer),
  };
}

/** Believes that its row of the register is outdated by no more than its token, which it takes from Redis. */
function believesAnyToken(options: DrainerOptions) {
  const { database, redis } = options;
  if (redis === null) throw new TypeError('Without Redis there is no token.');
  const query: typeof database.query = async <Row extends object>(...asked: Parameters<typeof database.query>) => {
    const rows = await database.query<Row>(...asked);
    if (!asked[0].includes('previous_token as')) return rows;
    const [, turn = '0', token] = (await redis.meet()).held?.split(' ') ?? [];
    return rows.map((row) => ('turn' in row && Number(row.turn) < Number(turn) ? { ...row, turn, token } : row));
  };
  return startDrainer({ ...options, database: { ...database, query } });
}

/** Protocols of domains that lack one part each, by what they lack. */
export const BROKEN_DOMAINS = {
  'the generation in the epoch': { tier: (url, ...more) => new GenerationBlind(url, '', ...more) },
  'the wait for every domain': { drainer: takesAll },
  'the token': { drainer: believesAnyToken },
} satisfies Record<string, Parts>;
