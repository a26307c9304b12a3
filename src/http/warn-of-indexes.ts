import type { FastifyInstance } from 'fastify';
import type { Larder } from '../larder-face.ts';

/**
 * Lets a server say in development, when it has started, which indexes its lists lack: on a few rows nobody would notice.
 *
 * @param app the instance, whose log it is said in
 * @param larder whose lists are looked at
 */
export function warnOfIndexes(app: FastifyInstance, larder: Pick<Larder, 'doctor' | 'health'>): void {
  const look = async () => {
    const findings = await larder.doctor();
    // Of a database that was never migrated there is more to say, and it is said.
    if (larder.health.unmigrated()) return;
    for (const { about, problem, statement } of findings) app.log.warn({ about, statement }, problem);
  };
  app.addHook('onReady', async () => {
    // Nobody waits for it.
    look().catch((error: unknown) => {
      app.log.warn(
        { reason: error instanceof Error ? error.message : String(error) },
        'the indexes were not looked at',
      );
    });
  });
}
