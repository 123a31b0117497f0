/** Reads over JSON that nobody needs: it finds the end of a value, at any cut, and looks at one octet at a time. */
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

export class JsonSkipper {
  #depth = 0;
  #inString = false;
  #escaped = false;
  /** The end was found. */
  done = true;

  /** Over the value that follows. It ends behind a string or container, before the comma or bracket behind anything else. */
  beginValue(): void {
    this.#begin(0);
  }

  /** Over the rest of a container that is open; its end is behind its bracket. */
  beginRest(): void {
    this.#begin(1);
  }

  #begin(depth: number): void {
    this.#depth = depth;
    this.#inString = false;
    this.#escaped = false;
    this.done = false;
  }

  /** @returns the position behind what was read; the end of the octets while it is not `done` */
  read(octets: Uint8Array, from: number): number {
    const { length } = octets;
    let depth = this.#depth;
    let at = from;
    while (at < length) {
      if (this.#inString) {
        at = this.#readString(octets, at);
        if (!this.#inString && depth === 0) return this.#finish(at);
        continue;
      }
      const octet = octets[at]!;
      if (octet === QUOTE) {
        this.#inString = true;
      } else if (octet === 0x5b || octet === 0x7b) {
        depth++;
      } else if (octet === 0x5d || octet === 0x7d) {
        if (depth === 0) return this.#finish(at);
        depth--;
        if (depth === 0) return this.#finish(at + 1);
      } else if (octet === 0x2c && depth === 0) {
        return this.#finish(at);
      }
      at++;
    }
    this.#depth = depth;
    return at;
  }

  #readString(octets: Uint8Array, from: number): number {
    const { length } = octets;
    let at = from;
    if (this.#escaped) {
      this.#escaped = false;
      at++;
    }
    while (at < length) {
      const octet = octets[at]!;
      if (octet === QUOTE) {
        this.#inString = false;
        return at + 1;
      }
      if (octet === BACKSLASH) {
        if (at + 1 === length) {
          this.#escaped = true;
          return length;
        }
        at++;
      }
      at++;
    }
    return at;
  }

  #finish(at: number): number {
    this.done = true;
    return at;
  }
}
