/** Something that a service needs is not there or did not work. The message says what to do, so a stack adds nothing. */
export class ServiceError extends Error {
  override name = 'ServiceError';
}
