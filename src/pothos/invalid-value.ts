/**
 * What a scalar throws at a value that it does not take, when its message says what was expected and not what came: then a client is
 * shown it for values in variables, too. Other errors of scalars may hold the value, which may be a secret.
 */
export class InvalidValue extends TypeError {
  override name = 'InvalidValue';
}
