/**
 * Lets work through one at a time, each in a turn of the event loop of its own, so that whatever else is there to do is done in
 * between. Without it, all that came in at the same time is worked on before anything else is looked at.
 *
 * @returns waits for a turn, in the order of asking
 */
export function createTurns(): () => Promise<void> {
  let last = Promise.resolve();
  return () => {
    // An immediate that is set during another one runs in the next turn.
    last = last.then(() => new Promise<void>((resolve) => setImmediate(resolve)));
    return last;
  };
}
