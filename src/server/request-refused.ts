/** A request that is turned away before anything of it is executed. */
export class RequestRefused extends Error {
  override name = 'RequestRefused';
  readonly code: string;
  readonly statusCode: number;

  /**
   * @param statusCode the HTTP status
   * @param code the error's code, for programs
   * @param message the same, for people
   */
  constructor(statusCode: number, code: string, message: string) {
    super(message);
    this.statusCode = statusCode;
    this.code = code;
  }
}
