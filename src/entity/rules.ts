import { getTableColumns, getTableName } from 'drizzle-orm';
import type { PgTable } from 'drizzle-orm/pg-core';
import { ConstraintViolation } from '../postgres/errors.ts';
import { checkOptions, wrongDeclaration } from './check-declaration.ts';
import { InvalidInput } from './invalid-input.ts';

/** What a text field takes. Its length is counted in characters, not bytes. */
export interface TextRule {
  readonly maxLength: number;
  /** Whether it may be empty or blank. */
  readonly optional: boolean;
}

/** What may be written to an entity. */
export interface WriteRules {
  /** Rules of text fields, by field name. */
  readonly texts: Record<string, TextRule>;
  /** The error for a broken constraint of the schema, by the constraint's name: one for create and update, one for delete. */
  readonly constraints: Record<string, { readonly write?: InvalidInput; readonly delete?: InvalidInput }>;
}

/** The section of docs/your-tables.md that explains it. */
const SECTION = 'writes-of-your-own';

/**
 * Checks rules as an entity declares them. One that is misspelt would let every value pass.
 *
 * @param name the entity's name
 * @param table its table
 * @param rules its rules
 * @throws {TypeError} naming a rule that there is not, or a field that the table lacks
 */
export function checkRules(name: string, table: PgTable, rules: Partial<WriteRules>): void {
  checkOptions(`${name}.rules`, rules, ['texts', 'constraints'], SECTION);
  for (const [field, rule] of Object.entries(rules.texts ?? {})) {
    if (field !== 'id' && !Object.hasOwn(getTableColumns(table), field)) {
      throw wrongDeclaration(`${name}.rules`, `texts to name fields of ${getTableName(table)}`, field, SECTION);
    }
    checkOptions(`${name}.${field}`, rule, ['maxLength', 'optional'], SECTION);
  }
  for (const [constraint, errors] of Object.entries(rules.constraints ?? {})) {
    checkOptions(`${name}.${constraint}`, errors, ['write', 'delete'], SECTION);
  }
}

/**
 * Checks values before they are written.
 *
 * @param rules the entity's rules
 * @param values what is to be written, by field name
 * @throws {InvalidInput} naming the first field that breaks a rule
 */
export function checkTexts(rules: WriteRules, values: Readonly<Record<string, unknown>>): void {
  for (const [field, rule] of Object.entries(rules.texts)) {
    const value = values[field];
    if (typeof value !== 'string') continue;
    if (!rule.optional && value.trim() === '') {
      throw new InvalidInput(field, 'REQUIRED', `Expected ${field} not to be empty.`);
    }
    const length = [...value].length;
    if (length > rule.maxLength) {
      const message = `Expected ${field} to have at most ${rule.maxLength} characters, got ${length}.`;
      throw new InvalidInput(field, 'TOO_LONG', message);
    }
    // Postgres cannot store NUL, and UTF-8 cannot encode half a surrogate pair.
    if (value.includes('\0') || !value.isWellFormed()) {
      throw new InvalidInput(field, 'MALFORMED', `Expected ${field} to be well-formed text without NUL.`);
    }
  }
}

/**
 * Does a write, and translates the error of a broken constraint.
 *
 * @param rules the entity's rules
 * @param kind whether rows are deleted or written
 * @param write the write
 * @returns what the write returns
 * @throws {InvalidInput} for a constraint that the rules know
 */
export async function withConstraints<T>(
  rules: WriteRules,
  kind: 'write' | 'delete',
  write: () => Promise<T>,
): Promise<T> {
  try {
    return await write();
  } catch (error) {
    const meant = error instanceof ConstraintViolation ? rules.constraints[error.constraint]?.[kind] : undefined;
    throw meant ?? error;
  }
}
