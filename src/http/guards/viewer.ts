/** Who sent a request. */
export interface Viewer {
  /** The viewer's identity, such as a token's `sub`; `null` when it is unknown. */
  readonly subject: string | null;
  /** What the viewer may do; a mutation needs `write`. */
  readonly scopes: ReadonlySet<string>;
}
