/**
 * The ledger's tables, as a list of steps: `user_version` says how many have been made. A step that was released
 * is never changed; what changes is a new step.
 *
 * Names of resources and models are numbers in `calls`, which makes rows a third of the size. `at` is the time that
 * orders rows, 2048 places to a millisecond: one number orders, pages and names a row. `calls_at` holds all that can be
 * asked for, so that any combination of conditions is decided without touching the rows.
 */
import type { DatabaseSync } from "node:sqlite";

const STEPS: readonly string[] = [
  `
  CREATE TABLE names (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, wild INTEGER NOT NULL);

  CREATE TABLE calls (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    request_id TEXT NOT NULL, part INTEGER NOT NULL, time_ms INTEGER NOT NULL,
    duration_us INTEGER NOT NULL, first_byte_us INTEGER,
    api INTEGER NOT NULL, operation INTEGER NOT NULL, product INTEGER NOT NULL, subscription INTEGER NOT NULL,
    user INTEGER NOT NULL, workspace INTEGER NOT NULL, backend INTEGER NOT NULL,
    dialect INTEGER NOT NULL, provider INTEGER NOT NULL, model_operation INTEGER NOT NULL,
    model INTEGER NOT NULL, asked INTEGER NOT NULL,
    model_asked INTEGER NOT NULL, deployment INTEGER NOT NULL, model_served INTEGER NOT NULL,
    api_version INTEGER NOT NULL, answer_id TEXT, stream INTEGER NOT NULL, status INTEGER NOT NULL,
    ending INTEGER NOT NULL, finish_reason TEXT, error TEXT, attempts INTEGER NOT NULL,
    prompt_tokens INTEGER NOT NULL, completion_tokens INTEGER NOT NULL, total_tokens INTEGER NOT NULL,
    cached_tokens INTEGER NOT NULL, cache_write_tokens INTEGER NOT NULL, reasoning_tokens INTEGER NOT NULL,
    prompt_audio_tokens INTEGER NOT NULL, completion_audio_tokens INTEGER NOT NULL, cached_inside INTEGER NOT NULL,
    charged_tokens INTEGER NOT NULL, evidence INTEGER NOT NULL, cost_micros INTEGER, price INTEGER NOT NULL,
    extra TEXT
  );
  CREATE UNIQUE INDEX calls_request ON calls (request_id, part);
  CREATE UNIQUE INDEX calls_at ON calls
    (at, api, subscription, product, user, workspace, backend, model, asked, status, ending, evidence, total_tokens);
  CREATE INDEX calls_api ON calls (api, at);
  CREATE INDEX calls_subscription ON calls (subscription, at);
  CREATE INDEX calls_user ON calls (user, at);
  CREATE INDEX calls_model ON calls (model, at);
  CREATE INDEX calls_asked ON calls (asked, at);
  CREATE INDEX calls_status ON calls (status, at);

  CREATE TABLE messages (
    id INTEGER PRIMARY KEY, at INTEGER NOT NULL,
    direction INTEGER NOT NULL, piece INTEGER NOT NULL, truncated INTEGER NOT NULL, text TEXT NOT NULL
  );
  CREATE UNIQUE INDEX messages_at ON messages (at, direction, piece);
  CREATE VIRTUAL TABLE texts USING fts5 (request, response, content='', contentless_delete=1,
    tokenize='unicode61 remove_diacritics 2');

  CREATE TABLE rollups (
    step INTEGER NOT NULL, time INTEGER NOT NULL,
    subscription INTEGER NOT NULL, product INTEGER NOT NULL, api INTEGER NOT NULL, model INTEGER NOT NULL,
    backend INTEGER NOT NULL,
    requests INTEGER NOT NULL, errors INTEGER NOT NULL, streams INTEGER NOT NULL,
    prompt_tokens INTEGER NOT NULL, completion_tokens INTEGER NOT NULL, total_tokens INTEGER NOT NULL,
    cached_tokens INTEGER NOT NULL, cache_write_tokens INTEGER NOT NULL, reasoning_tokens INTEGER NOT NULL,
    prompt_audio_tokens INTEGER NOT NULL, completion_audio_tokens INTEGER NOT NULL, charged_tokens INTEGER NOT NULL,
    cost_micros INTEGER NOT NULL, unpriced INTEGER NOT NULL,
    duration_us INTEGER NOT NULL, longest_us INTEGER NOT NULL,
    reported INTEGER NOT NULL, counted INTEGER NOT NULL, estimated INTEGER NOT NULL, unknown INTEGER NOT NULL,
    PRIMARY KEY (step, time, subscription, product, api, model, backend)
  ) WITHOUT ROWID;

  CREATE TABLE segments (name TEXT PRIMARY KEY, position INTEGER NOT NULL) WITHOUT ROWID;
  `,
  // Each transaction leaves a part of the index of words, and parts are merged as they pile up: fewer and larger ones.
  `
  INSERT INTO texts (texts, rank) VALUES ('hashsize', 4194304);
  INSERT INTO texts (texts, rank) VALUES ('automerge', 8);
  `,
  // What was said, whole and as octets: a row and no index, where pieces in `messages` took two and two. Those stay.
  `
  CREATE TABLE said (at INTEGER PRIMARY KEY, truncated INTEGER NOT NULL, request BLOB, response BLOB);
  `,
  // Marks (`marks.ts`) instead of six indexes that every row was written to. A span is 2^25 places.
  `
  CREATE TABLE marks (marked INTEGER NOT NULL, value INTEGER NOT NULL, span INTEGER NOT NULL,
    PRIMARY KEY (marked, value, span)) WITHOUT ROWID;
  INSERT INTO marks SELECT DISTINCT 1, api, at >> 25 FROM calls INDEXED BY calls_api ORDER BY 2, 3;
  INSERT INTO marks SELECT DISTINCT 2, subscription, at >> 25 FROM calls INDEXED BY calls_subscription ORDER BY 2, 3;
  INSERT INTO marks SELECT DISTINCT 3, user, at >> 25 FROM calls INDEXED BY calls_user ORDER BY 2, 3;
  INSERT INTO marks SELECT DISTINCT 4, model, at >> 25 FROM calls INDEXED BY calls_model ORDER BY 2, 3;
  INSERT INTO marks SELECT DISTINCT 5, asked, at >> 25 FROM calls INDEXED BY calls_asked ORDER BY 2, 3;
  INSERT INTO marks SELECT DISTINCT 6, status, at >> 25 FROM calls INDEXED BY calls_status ORDER BY 2, 3;
  DROP INDEX calls_api;
  DROP INDEX calls_subscription;
  DROP INDEX calls_user;
  DROP INDEX calls_model;
  DROP INDEX calls_asked;
  DROP INDEX calls_status;
  `,
];

/**
 * @param steps how many are made at most; for tests of what an earlier version has left
 * @throws Error when the file was written by a later version, or is no database
 */
export function migrate(database: DatabaseSync, steps = STEPS.length): void {
  const version = (): number =>
    (database.prepare("PRAGMA user_version").get() as { user_version: number }).user_version;
  if (version() > STEPS.length) {
    throw new Error(
      `the ledger was written by a later version (${version()}; this one knows ${STEPS.length})`,
    );
  }
  while (version() < steps) {
    database.exec("BEGIN IMMEDIATE");
    try {
      // Another process may have been faster.
      const done = version();
      if (done < steps) {
        database.exec(STEPS[done]!);
        database.exec(`PRAGMA user_version = ${done + 1}`);
      }
      database.exec("COMMIT");
    } catch (error) {
      database.exec("ROLLBACK");
      throw error;
    }
  }
}

/** Places to a millisecond in `calls.at`. */
export const PLACES = 2048;
