/** Something that a service needs is missing or failed. The message says what to do, so a stack adds nothing. */
export class ServiceError extends Error {
  override name = 'ServiceError';
}
