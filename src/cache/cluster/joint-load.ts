import type { Trace } from '../../trace/trace.ts';
import type { LoadedBody } from '../entry.ts';
import type { Loader } from '../read-through.ts';

type Rows = Map<string, LoadedBody>;

/**
 * Lets the parts of one reading that ask different nodes load what these do not hold by one statement. It is sent when each part has
 * either come to load or ended, hence after the leases of all.
 *
 * @param load reads rows
 * @param parts how many there are
 * @param trace the request's trace
 * @returns runs one part, which is given what loads for it; settles as the part does
 */
export function jointLoad(
  load: Loader,
  parts: number,
  trace: Trace,
): <T>(part: (load: Loader) => Promise<T>) => Promise<T> {
  let underWay = parts;
  let wanted: string[] = [];
  let waiting: { resolve: (rows: Rows) => void; reject: (error: unknown) => void }[] = [];
  const arrive = () => {
    underWay -= 1;
    if (underWay > 0 || waiting.length === 0) return;
    const [ids, all] = [wanted, waiting];
    [wanted, waiting] = [[], []];
    load(ids, trace).then(
      (rows) => {
        for (const one of all) one.resolve(rows);
      },
      (error: unknown) => {
        for (const one of all) one.reject(error);
      },
    );
  };
  return async (part) => {
    let arrived = false;
    const joint: Loader = (ids) =>
      new Promise<Rows>((resolve, reject) => {
        wanted.push(...ids);
        waiting.push({ resolve, reject });
        arrived = true;
        arrive();
      });
    try {
      return await part(joint);
    } finally {
      if (!arrived) arrive();
    }
  };
}
