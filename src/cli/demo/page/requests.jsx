import { figuresOf, figureTexts } from '../../../http/inspector/graphiql/page/figures.js';
import { useRuns } from './runs.js';

/** What each of the last requests did, in the words of GraphiQL's inspector. */
export function Requests() {
  const runs = useRuns();
  return (
    <aside aria-label="Requests">
      <h2>What each request did</h2>
      <ol>
        {runs.map((run) => (
          <li key={run.id}>
            <b>{run.name}</b>
            <span>{run.fetching === undefined ? 'refused' : figureTexts(figuresOf(run)).join(' · ')}</span>
          </li>
        ))}
      </ol>
      <p>
        SQL counts statements, MGET readings of Redis. A hit is an entity whose body a cache had. The cost is in points,
        of those that a request may have.
      </p>
      <p>
        <a href="/graphiql">GraphiQL</a> shows the statements themselves, cold beside warm.
      </p>
    </aside>
  );
}
