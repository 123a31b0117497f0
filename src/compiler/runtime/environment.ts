/**
 * What .NET takes from the machine it runs on, kept in one place (`expressions.md` §1.3): line ends, the local time
 * zone and the clock. The culture is always the invariant one.
 */
export interface Environment {
  /** `Environment.NewLine`: ends lines in StringBuilder, StringWriter, indented JSON and XML. */
  readonly newLine: string;
  /** IANA id of the local time zone. */
  readonly timeZone: string;
  /** Wall clock, ms since the Unix epoch; a fraction is kept. */
  readonly now: () => number;
}

let current: Environment = { newLine: "\n", timeZone: "UTC", now: () => 0 };

/** Set once when the process starts, before any expression runs. Without it the clock stands at the Unix epoch. */
export function configureEnvironment(changed: Partial<Environment>): void {
  current = { ...current, ...changed };
}

export function environment(): Environment {
  return current;
}
