import { openDatabase } from '../postgres/client.ts';
import { examine } from '../repository/doctor.ts';
import { definitionsOf, type Entities } from '../repository/entity.ts';
import type { Stores } from './forget.ts';

/**
 * Says which indexes the lists of some entities lack, and what else they need of the database. Each line is SQL that adds it, or an SQL
 * comment for people.
 *
 * @param stores where to look
 * @param entities the entities by name
 * @param say receives each line
 * @returns whether nothing is missing
 * @throws {DatabaseUnavailable} when Postgres does not answer
 */
export async function sayMissing(
  { postgres, statementTimeoutMs }: Pick<Stores, 'postgres' | 'statementTimeoutMs'>,
  entities: Entities,
  say: (line: string) => void,
): Promise<boolean> {
  const database = openDatabase({ url: postgres, statementTimeoutMs, poolSize: 1 });
  try {
    const findings = await examine(database, definitionsOf(entities));
    if (findings.length === 0) say('-- Nothing is missing.');
    for (const { about, problem, statement } of findings) {
      say(`-- ${about}: ${problem}`);
      if (statement !== null) say(statement);
    }
    return findings.length === 0;
  } finally {
    await database.close();
  }
}
