/** Something that was configured cannot be meant. The message says what is expected in its place, and quotes no secret. */
export class WrongValue extends Error {
  override name = 'WrongValue';
}
