import type { GraphQLFormattedError } from 'graphql';

/** More about a refusal. */
export interface RefusalDetails {
  /** Added to the code in the error's extensions. */
  readonly extensions?: Readonly<Record<string, unknown>>;
  /** These errors replace the one with the message. */
  readonly errors?: readonly GraphQLFormattedError[];
  /** Headers of the response. */
  readonly headers?: Readonly<Record<string, string>>;
  /**
   * Whether the HTTP request itself was valid. Then a client that accepts only `application/json` gets the status 200 (GraphQL over HTTP
   * specification, section 6.4.1).
   */
  readonly wellFormed?: boolean;
}

/** A request that is refused before any of it is executed. */
export class RequestRefused extends Error {
  override name = 'RequestRefused';
  readonly code: string;
  readonly statusCode: number;
  readonly details: RefusalDetails;

  /**
   * @param statusCode the HTTP status
   * @param code the error's code, for programs
   * @param message the same, for people
   * @param details more about the refusal
   */
  constructor(statusCode: number, code: string, message: string, details: RefusalDetails = {}) {
    super(message);
    this.statusCode = statusCode;
    this.code = code;
    this.details = details;
  }

  /** @returns the errors as a client sees them */
  publicErrors(): readonly GraphQLFormattedError[] {
    const { errors, extensions } = this.details;
    return errors ?? [{ message: this.message, extensions: { code: this.code, ...extensions } }];
  }
}
