/** Why a value cannot be written. */
export type InvalidReason = 'REQUIRED' | 'TOO_LONG' | 'MALFORMED' | 'NOT_FOUND' | 'IN_USE' | 'DUPLICATE';

/** A value cannot be written. Nothing was written. */
export class InvalidInput extends Error {
  override name = 'InvalidInput';
  /** The value, by the entity's field name. */
  readonly field: string;
  readonly reason: InvalidReason;

  /**
   * @param field the value, by the entity's field name
   * @param reason what is wrong with it, for programs
   * @param message the same, for people
   * @param options what was thrown before, as the `cause`, where something was
   */
  constructor(field: string, reason: InvalidReason, message: string, options?: ErrorOptions) {
    super(message, options);
    this.field = field;
    this.reason = reason;
  }
}
