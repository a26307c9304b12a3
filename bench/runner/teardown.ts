/** What has to happen before the process may end; the last one first. */
export type Teardown = (() => Promise<unknown> | unknown)[];

/**
 * Stops everything, the last thing started first. What fails to stop does not keep the rest from stopping.
 *
 * @param teardown what stops each thing
 */
export async function stopAll(teardown: Teardown): Promise<void> {
  for (const stop of teardown.splice(0).reverse()) {
    try {
      await stop();
    } catch (error) {
      process.stderr.write(`Could not stop something: ${String(error)}\n`);
    }
  }
}
