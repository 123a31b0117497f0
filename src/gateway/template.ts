/**
 * Operation templates such as `/items({id})/{*rest}?api-version={v}`, compiled once into a matcher
 * (`routing.md` §3.1). Filled in by `compileTemplate` in `template-compiler` order: literal, mixed, parameter, catch-all.
 */
export interface TemplateMatcher {
  /** Names of all parameters, path and query, as written. */
  readonly names: readonly string[];
  /**
   * @param segments path below the API, raw (still encoded), without empty last segment
   * @param decoded the same, decoded once
   * @param query parsed query, or null to skip query conditions
   * @returns values by name, or null when it does not match
   */
  match(segments: readonly string[], decoded: readonly string[], query: QueryParameters): MatchedTemplate | null;
  /** Sort key: smaller goes first (precedence, `routing.md` §3.4). */
  readonly rank: string;
}

export interface MatchedTemplate {
  /** Path values decoded, query values as received. */
  readonly parameters: ReadonlyMap<string, string>;
  /** Path values as received, for `rewrite-uri`. */
  readonly raw: ReadonlyMap<string, string>;
}

/** Query parameters in order, values as received, names decoded. */
export interface QueryParameters {
  readonly entries: readonly (readonly [name: string, value: string])[];
}
