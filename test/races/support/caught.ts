import type { History } from '../../stage/history.ts';
import type { Stage } from '../../stage/stage.ts';

/** A race that shows nothing so often shows nothing. */
const TURNS = 5;

/**
 * Runs a race that shows what a protocol lacks. It runs again where it shows nothing: on a busy machine a body may be too old for anybody to
 * use before it comes to that.
 *
 * @param race a race on processes that lack a part
 * @returns the history of the first run in which something was wrong, or of the last
 */
export async function caught(race: () => Promise<Stage>): Promise<History> {
  for (let turn = 1; ; turn += 1) {
    const { history } = await race();
    if (history.violations.length > 0 || turn === TURNS) return history;
  }
}
