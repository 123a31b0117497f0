/** Names as numbers: what is said a million times is stored once. */
import type { DatabaseSync, StatementSync } from "node:sqlite";

/** Stands for no name. */
export const NO_NAME = 0;

/** What models beyond the bound are called in roll-ups. */
export const OTHER = "(other)";

/** Names that callers can make up; more of them than this become `OTHER` (`reliability.md` R-39). */
const MOST_WILD = 10_000;

/** Names remembered in memory. */
const MOST_CACHED = 20_000;

export class Names {
  readonly #select: StatementSync;
  readonly #insert: StatementSync;
  readonly #byId: StatementSync;
  readonly #prefix: StatementSync;
  readonly #countWild: StatementSync;
  readonly #ids = new Map<string, number>();
  readonly #names = new Map<number, string>();
  #wild: number;
  /** Made in the transaction under way: forgotten when it is rolled back. */
  #fresh: string[] = [];

  constructor(database: DatabaseSync) {
    this.#select = database.prepare("SELECT id FROM names WHERE name = ?");
    this.#insert = database.prepare("INSERT INTO names (name, wild) VALUES (?, ?) RETURNING id");
    this.#byId = database.prepare("SELECT name FROM names WHERE id = ?");
    this.#prefix = database.prepare("SELECT id FROM names WHERE name >= ? AND name < ? LIMIT 1000");
    this.#countWild = database.prepare("SELECT count(*) AS n FROM names WHERE wild = 1");
    this.#wild = this.#readWild();
  }

  /** @returns the number of a name, made when it is new; to be called within a transaction */
  idOf(name: string | null): number {
    if (name === null) return NO_NAME;
    return this.find(name) ?? this.#make(name, false);
  }

  /** As `idOf`, for names that callers make up. */
  wildIdOf(name: string | null): number {
    if (name === null) return NO_NAME;
    const known = this.find(name);
    if (known !== null) return known;
    return this.#wild < MOST_WILD ? this.#make(name, true) : this.idOf(OTHER);
  }

  /** @returns null when nothing has that name */
  find(name: string): number | null {
    const cached = this.#ids.get(name);
    if (cached !== undefined) return cached;
    const row = this.#select.get(name) as { id: number } | undefined;
    if (row === undefined) return null;
    this.#remember(name, row.id);
    return row.id;
  }

  /** Numbers of a name, or of all that begin as `pattern` does before its final `*`. */
  match(pattern: string): number[] {
    if (!pattern.endsWith("*")) {
      const id = this.find(pattern);
      return id === null ? [] : [id];
    }
    const prefix = pattern.slice(0, -1);
    const rows = this.#prefix.all(prefix, `${prefix}\u{10ffff}`) as { id: number }[];
    return rows.map(({ id }) => id);
  }

  nameOf(id: number): string | null {
    if (id === NO_NAME) return null;
    const cached = this.#names.get(id);
    if (cached !== undefined) return cached;
    const row = this.#byId.get(id) as { name: string } | undefined;
    if (row === undefined) return null;
    this.#remember(row.name, id);
    return row.name;
  }

  committed(): void {
    this.#fresh = [];
  }

  rolledBack(): void {
    for (const name of this.#fresh) {
      const id = this.#ids.get(name);
      this.#ids.delete(name);
      if (id !== undefined) this.#names.delete(id);
    }
    this.#fresh = [];
    this.#wild = this.#readWild();
  }

  #make(name: string, wild: boolean): number {
    const { id } = this.#insert.get(name, wild ? 1 : 0) as { id: number };
    if (wild) this.#wild++;
    this.#fresh.push(name);
    this.#remember(name, id);
    return id;
  }

  #readWild(): number {
    return (this.#countWild.get() as { n: number }).n;
  }

  #remember(name: string, id: number): void {
    if (this.#ids.size >= MOST_CACHED) {
      this.#ids.clear();
      this.#names.clear();
    }
    this.#ids.set(name, id);
    this.#names.set(id, name);
  }
}
