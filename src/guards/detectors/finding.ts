/** What a detector found, and how findings of several detectors are brought together. */

export interface Finding {
  /** `email`, `card`, `aws-key`, … */
  readonly kind: string;
  /** UTF-16 units of the text that was given. */
  readonly start: number;
  readonly end: number;
  /** 0…7. */
  readonly severity: number;
}

/** Looks through a folded text; adds what it finds. */
export type Detect = (
  text: string,
  add: (kind: string, start: number, end: number, severity: number) => void,
) => void;

/** Findings that overlap become one, of the graver's kind (of equals the longer's), over all that they cover; in order. */
export function withoutOverlaps(findings: readonly Finding[]): Finding[] {
  const sorted = [...findings].sort((a, b) => a.start - b.start || b.severity - a.severity || b.end - a.end);
  const kept: Finding[] = [];
  for (const finding of sorted) {
    const before = kept.at(-1);
    if (before === undefined || finding.start >= before.end) kept.push(finding);
    else kept[kept.length - 1] = joined(before, finding);
  }
  return kept;
}

function joined(one: Finding, other: Finding): Finding {
  const { kind, severity } = isStronger(other, one) ? other : one;
  return { kind, severity, start: one.start, end: Math.max(one.end, other.end) };
}

function isStronger(one: Finding, other: Finding): boolean {
  if (one.severity !== other.severity) return one.severity > other.severity;
  return one.end - one.start > other.end - other.start;
}
