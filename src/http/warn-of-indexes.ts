import type { FastifyInstance } from 'fastify';
import type { Larder } from '../larder-face.ts';
import { reasonOf } from '../reason-of.ts';

/**
 * Makes a server in development say, once it has started, which indexes its lists lack. With few rows nobody would notice.
 *
 * @param app the instance, whose log gets the lines
 * @param larder the Larder whose lists are checked
 */
export function warnOfIndexes(app: FastifyInstance, larder: Pick<Larder, 'doctor' | 'health'>): void {
  const look = async () => {
    const findings = await larder.doctor();
    // A database that was never migrated is reported elsewhere.
    if (larder.health.unmigrated()) return;
    for (const { about, problem, statement } of findings) app.log.warn({ about, statement }, problem);
  };
  app.addHook('onReady', async () => {
    // Nobody waits for it.
    look().catch((error: unknown) => {
      app.log.warn({ reason: reasonOf(error) }, 'the indexes were not checked');
    });
  });
}
