/**
 * A scalar throws it for a wrong value. Its message says what was expected and does not quote the value. So a client may see it, even for
 * values in variables. Other errors of scalars may quote the value, which may be a secret.
 */
export class InvalidValue extends TypeError {
  override name = 'InvalidValue';
}
