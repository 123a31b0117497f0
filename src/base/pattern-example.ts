/**
 * A string that matches a regular expression, for the `pattern` of a JSON schema. The expression is read,
 * never run: it comes from the caller, and running it could take for ever. Known are literals, escapes, `.`,
 * classes, groups, alternatives and quantifiers; anything else (look-around, back-references, properties)
 * gives null.
 */
const MAX_LENGTH = 1_000;

/** @returns null when the pattern uses something unknown here or its example would be too long */
export function examplePattern(pattern: string): string | null {
  const reader = new PatternReader(pattern);
  try {
    const text = reader.alternatives();
    return reader.at === pattern.length && text.length <= MAX_LENGTH ? text : null;
  } catch (error) {
    if (error instanceof Unknown) return null;
    throw error;
  }
}

class Unknown extends Error {}

class PatternReader {
  readonly pattern: string;
  at = 0;
  #depth = 0;

  constructor(pattern: string) {
    this.pattern = pattern;
  }

  /** alternatives = sequence { "|" sequence }; the first one that is not empty serves. */
  alternatives(): string {
    if (++this.#depth > 50) throw new Unknown();
    let text = this.#sequence();
    while (this.#take("|")) {
      const other = this.#sequence();
      if (text === "") text = other;
    }
    this.#depth--;
    return text;
  }

  #sequence(): string {
    let text = "";
    while (this.at < this.pattern.length && !"|)".includes(this.pattern[this.at]!)) {
      const atom = this.#atom();
      const times = this.#quantifier();
      if (text.length + atom.length * times > MAX_LENGTH) throw new Unknown();
      text += atom.repeat(times);
    }
    return text;
  }

  #atom(): string {
    const c = this.pattern[this.at++]!;
    switch (c) {
      case "^":
      case "$":
        return "";
      case ".":
        return "a";
      case "(":
        return this.#group();
      case "[":
        return this.#class();
      case "\\":
        return this.#escape();
      case "*":
      case "+":
      case "?":
        throw new Unknown();
      default:
        return c;
    }
  }

  #group(): string {
    if (this.#take("?")) {
      if (!this.#take(":")) {
        const name = /^<[A-Za-z_$][\w$]*>/.exec(this.pattern.slice(this.at, this.at + 100));
        if (name === null) throw new Unknown();
        this.at += name[0].length;
      }
    }
    const text = this.alternatives();
    if (!this.#take(")")) throw new Unknown();
    return text;
  }

  /** The first member of the class; of a negated one, the first usual character that is no member. */
  #class(): string {
    const negated = this.#take("^");
    const members: [low: string, high: string][] = [];
    while (!this.#take("]")) {
      if (this.at >= this.pattern.length) throw new Unknown();
      const low = this.#member();
      if (low.length === 1 && this.pattern[this.at] === "-" && this.pattern[this.at + 1] !== "]") {
        this.at++;
        const high = this.#member();
        if (high.length !== 1 || high < low) throw new Unknown();
        members.push([low, high]);
      } else for (const c of low) members.push([c, c]);
    }
    if (!negated) {
      if (members.length === 0) throw new Unknown();
      return members[0]![0];
    }
    const free = [..."a0-_ A.~"].find((c) => !members.some(([low, high]) => c >= low && c <= high));
    if (free === undefined) throw new Unknown();
    return free;
  }

  /**
   * One character of a class, or all members of an escape such as `\d`, which may stand in a negated class.
   */
  #member(): string {
    const c = this.pattern[this.at++]!;
    if (c !== "\\") return c;
    const kind = this.pattern[this.at];
    if (kind === "d") {
      this.at++;
      return "0123456789";
    }
    if (kind === "w") {
      this.at++;
      return "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
    }
    if (kind === "s") {
      this.at++;
      return " \t\n\r\f\v";
    }
    if (kind !== undefined && "DWSbB".includes(kind)) throw new Unknown();
    return this.#escape();
  }

  #escape(): string {
    const c = this.pattern[this.at++];
    switch (c) {
      case "d":
        return "0";
      case "w":
        return "a";
      case "s":
        return " ";
      case "D":
      case "S":
        return "a";
      case "W":
        return "-";
      case "n":
        return "\n";
      case "t":
        return "\t";
      case "r":
        return "\r";
      case "b":
        return "";
      default:
        if (c === undefined || /[A-Za-z0-9]/.test(c)) throw new Unknown();
        return c;
    }
  }

  /**
   * How often the atom before it is repeated: the least that shows it, once where zero is allowed but one is
   * too.
   */
  #quantifier(): number {
    let times = 1;
    if (this.#take("*") || this.#take("+") || this.#take("?")) times = 1;
    else if (this.pattern[this.at] === "{") {
      const found = /^\{(\d{1,6})(,(\d{0,6}))?\}/.exec(this.pattern.slice(this.at, this.at + 20));
      if (found === null) throw new Unknown();
      this.at += found[0].length;
      times = Number(found[1]);
      if (times === 0 && found[2] !== undefined && found[3] !== "0") times = 1;
    } else return 1;
    this.#take("?");
    return times;
  }

  #take(c: string): boolean {
    if (this.pattern[this.at] !== c) return false;
    this.at++;
    return true;
  }
}
