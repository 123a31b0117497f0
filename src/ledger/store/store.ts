/** The ledger's database with everything that is done to it. Lives in the worker (`worker.ts`). */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import type { Page, ReadContents, Rollup, RollupQuery, SearchQuery, Tail, TailQuery } from "../query.ts";
import { JOURNAL, type Owner } from "../segment.ts";
import { Calls } from "./calls.ts";
import { type ImportCounts, Importer } from "./import.ts";
import { Marks } from "./marks.ts";
import { Names } from "./names.ts";
import { openDatabase } from "./open.ts";
import { Retention, type RetentionOptions } from "./retention.ts";
import { Rollups } from "./rollups.ts";
import { Search } from "./search.ts";
import { Texts } from "./texts.ts";

export interface StoreOptions extends RetentionOptions {
  readonly folder: string;
  readonly owner: Owner;
}

const DATABASE = "ledger.db";

export class Store {
  /** A damaged database that was set aside when this one was opened. */
  readonly setAside: string | null;
  readonly importer: Importer;
  readonly #database: DatabaseSync;
  readonly #search: Search;
  readonly #rollups: Rollups;
  readonly #texts: Texts;
  readonly #retention: Retention;

  /** @throws Error when the database cannot be opened */
  constructor(options: StoreOptions, now: number) {
    const journal = join(options.folder, JOURNAL);
    mkdirSync(journal, { recursive: true, mode: 0o700 });
    const { database, setAside } = openDatabase(join(options.folder, DATABASE), now);
    this.setAside = setAside;
    this.#database = database;
    const names = new Names(database);
    const marks = new Marks(database);
    const calls = new Calls(database, names, marks);
    this.#texts = new Texts(database);
    this.#rollups = new Rollups(database, names);
    this.#search = new Search(database, names, calls, marks);
    this.#retention = new Retention(database, marks, options);
    this.importer = new Importer({
      database,
      folder: journal,
      owner: options.owner,
      names,
      calls,
      texts: this.#texts,
      rollups: this.#rollups,
    });
  }

  search(query: SearchQuery): Page {
    return this.#search.page(query);
  }

  tail(query: TailQuery): Tail {
    return this.#search.tail(query);
  }

  rollup(query: RollupQuery): Rollup {
    return this.#rollups.read(query);
  }

  contents(requestId: string): ReadContents[] {
    return this.#texts.read(requestId);
  }

  retention(now: number): Generator<void> {
    return this.#retention.steps(now);
  }

  counts(): ImportCounts & { databaseBytes: number; journalBytes: number } {
    return {
      ...this.importer.counts,
      databaseBytes: this.#retention.usedBytes(),
      journalBytes: this.importer.journalBytes,
    };
  }

  close(): void {
    if (this.#database.isOpen) this.#database.close();
  }
}
