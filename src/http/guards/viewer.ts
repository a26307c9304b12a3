/** Who sent a request. */
export interface Viewer {
  /** Who it is, such as a token's `sub`; `null` when that is not said. */
  readonly subject: string | null;
  /** What they may do: a mutation needs `write`. */
  readonly scopes: ReadonlySet<string>;
}
