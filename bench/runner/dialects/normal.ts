/** Parts of an answer in the form that all peers share. */
export interface NormalEvent {
  readonly id: string;
  readonly title: string;
  readonly body?: string;
  readonly startsAt?: string;
  readonly campaigns?: readonly NormalCampaign[];
}

export interface NormalBrand {
  readonly id: string;
  readonly name: string;
}

export interface NormalCampaign {
  readonly id: string;
  readonly title: string;
  readonly body?: string;
  readonly brand?: NormalBrand;
  readonly events?: readonly NormalEvent[];
  readonly pageInfo?: NormalPageInfo;
}

/** Cursors are each peer's own; that there is one is compared. */
export interface NormalPageInfo {
  readonly hasNextPage: boolean;
  readonly hasEndCursor: boolean;
}

/** The same moment, however it is written; to the millisecond, since Prisma keeps no more. */
export function moment(text: string): string {
  return new Date(text).toISOString();
}

/** The last number in base64 of `Campaign:1`, or of `["Campaign","1"]`. */
export function databaseId(globalId: string): string {
  return /(\d+)"?\]?$/.exec(Buffer.from(globalId, 'base64').toString('utf8'))?.[1] ?? globalId;
}

/** An answer that is not what was asked for. */
export function refuse(body: unknown, errors?: unknown): never {
  throw new Error(`Expected data without errors, got ${JSON.stringify(errors ?? body).slice(0, 500)}`);
}
