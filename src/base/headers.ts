/**
 * An ordered list of header fields, kept as received: order, case and duplicates survive. Names compare without
 * case (RFC 9110 §5.1). Backed by the flat array `[name, value, name, value, …]` that sockets produce, so that a
 * message nobody looks into costs nothing.
 */
export class HeaderList {
  readonly raw: string[];

  /** @param raw flat `[name, value, …]`; the list takes it over and may change it */
  constructor(raw: string[] = []) {
    this.raw = raw;
  }

  /** The first value, or null. */
  get(name: string): string | null {
    const raw = this.raw;
    for (let i = 0; i < raw.length; i += 2) if (sameName(raw[i]!, name)) return raw[i + 1]!;
    return null;
  }

  /** Every value, one per field line, in order of arrival; null when there is none. */
  getAll(name: string): string[] | null {
    const raw = this.raw;
    let found: string[] | null = null;
    for (let i = 0; i < raw.length; i += 2) if (sameName(raw[i]!, name)) (found ??= []).push(raw[i + 1]!);
    return found;
  }

  has(name: string): boolean {
    const raw = this.raw;
    for (let i = 0; i < raw.length; i += 2) if (sameName(raw[i]!, name)) return true;
    return false;
  }

  /** Replaces every line of `name` by the given ones, in the place of the first. */
  set(name: string, ...values: string[]): void {
    const raw = this.raw;
    let at = -1;
    for (let i = 0; i < raw.length;) {
      if (sameName(raw[i]!, name)) {
        if (at < 0) at = i;
        raw.splice(i, 2);
      } else i += 2;
    }
    const lines: string[] = [];
    for (const value of values) lines.push(name, value);
    raw.splice(at < 0 ? raw.length : at, 0, ...lines);
  }

  append(name: string, value: string): void {
    this.raw.push(name, value);
  }

  /** @returns whether there was such a line */
  delete(name: string): boolean {
    const raw = this.raw;
    let found = false;
    for (let i = 0; i < raw.length;) {
      if (sameName(raw[i]!, name)) {
        raw.splice(i, 2);
        found = true;
      } else i += 2;
    }
    return found;
  }

  /** Distinct names in order of arrival, in the case first seen. */
  names(): string[] {
    const seen = new Set<string>();
    const names: string[] = [];
    for (let i = 0; i < this.raw.length; i += 2) {
      const lower = this.raw[i]!.toLowerCase();
      if (!seen.has(lower)) {
        seen.add(lower);
        names.push(this.raw[i]!);
      }
    }
    return names;
  }

  copy(): HeaderList {
    return new HeaderList(this.raw.slice());
  }
}

/** Compares two field names without case. Fast for equal strings and for different lengths, the common cases. */
export function sameName(a: string, b: string): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) {
    let x = a.charCodeAt(i);
    let y = b.charCodeAt(i);
    if (x === y) continue;
    if (x >= 65 && x <= 90) x += 32;
    if (y >= 65 && y <= 90) y += 32;
    if (x !== y) return false;
  }
  return true;
}
