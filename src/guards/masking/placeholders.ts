/** What stands for the personal data of one request: the same value has the same placeholder, and nothing else has it. */

/** `{kind}` and `{n}` are filled in; behind `{n}` a character that is no digit ends the number. */
export const DEFAULT_FORM = "<{kind}_{n}>";
const LONGEST_FORM = 48;

/** @returns what is wrong with a form; null when nothing is */
export function badForm(form: string): string | null {
  if (form.length > LONGEST_FORM) return `it is longer than ${LONGEST_FORM} characters`;
  if (!/^[\x20-\x7e]+$/.test(form) || /["\\]/.test(form))
    return "only ASCII without quotation marks and backslashes can stand in it";
  if ((form.match(/[<>&'=]/g) ?? []).length > 4) return "it has more than four of < > & ' =";
  if (!/\{kind\}/.test(form) || !/\{n\}[^\d{]/.test(form))
    return "it needs {kind}, {n} and something behind {n} that ends the number";
  if (/^[\s\w{]/.test(form)) return "it must begin with a sign such as `<` or `[`";
  return null;
}

const LABELS: Readonly<Record<string, string>> = {
  "national-id": "NATIONAL_ID",
  "date-of-birth": "DATE_OF_BIRTH",
  ip: "IP_ADDRESS",
};

export class Placeholders {
  readonly #form: string;
  readonly #taken: ReadonlySet<string>;
  readonly #byValue = new Map<string, string>();
  readonly #counts = new Map<string, number>();
  /** Value by placeholder. */
  readonly values: Map<string, string> = new Map();

  /** @param taken what looks like a placeholder in the texts already */
  constructor(form: string, taken: ReadonlySet<string>) {
    this.#form = form;
    this.#taken = taken;
  }

  /** @param kind as detectors name it */
  of(kind: string, value: string): string {
    const label = LABELS[kind] ?? kind.toUpperCase().replace(/[^A-Z0-9]/g, "_");
    const key = `${label} ${value}`;
    const known = this.#byValue.get(key);
    if (known !== undefined) return known;
    let placeholder: string;
    let n = this.#counts.get(label) ?? 0;
    do placeholder = this.#form.replaceAll("{kind}", label).replaceAll("{n}", String(++n));
    while (this.#taken.has(placeholder));
    this.#counts.set(label, n);
    this.#byValue.set(key, placeholder);
    this.values.set(placeholder, value);
    return placeholder;
  }
}

/** Finds what looks like a placeholder of this form. */
export function lookalikeForm(form: string): RegExp {
  const source = form
    .replace(/[.*+?^$()|[\]\\/]/g, "\\$&")
    .replaceAll("{kind}", "[A-Z_]{1,24}")
    .replaceAll("{n}", "\\d{1,9}");
  return new RegExp(source, "g");
}
