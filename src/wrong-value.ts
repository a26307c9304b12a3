/** A setting has a value that makes no sense. The message says what is expected instead, and quotes no secret. */
export class WrongValue extends Error {
  override name = 'WrongValue';
}
