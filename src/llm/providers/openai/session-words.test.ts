/** Which events of a session begin a response, by what the session is there for. */
import { expect, test } from "vitest";
import type { JsonObject } from "../../../base/json-object.ts";
import type { SessionWords } from "../../dialect.ts";
import { realtimeWords } from "./session-words.ts";

const session = (type: string, more: JsonObject = {}): JsonObject => ({ type, session: more });
const TRANSCRIBES = session("session.created", { type: "transcription" });
const TALKS = session("session.updated", { type: "realtime", model: "gpt-realtime" });

type Said = readonly ["client" | "server", JsonObject];

/** What is meant after these messages. */
const after = (said: readonly Said[]): SessionWords =>
  said.reduce<SessionWords>((words, [from, message]) => words.turnsTo(from, message) ?? words, realtimeWords);

test.each<[string, Said[], boolean]>([
  ["nothing was said", [], false],
  ["the server says that it talks", [["server", TALKS]], false],
  ["the server says that it transcribes", [["server", TRANSCRIBES]], true],
  ["in the names of the first generation", [["server", session("transcription_session.created")]], true],
  ["the client asks for it", [["client", session("session.update", { type: "transcription" })]], true],
  ["so in the first generation", [["client", session("transcription_session.update")]], true],
  [
    "the client takes it back",
    [
      ["server", TRANSCRIBES],
      ["client", session("session.update", { type: "realtime" })],
    ],
    true,
  ],
  [
    "the server takes it back",
    [
      ["client", session("session.update", { type: "transcription" })],
      ["server", TALKS],
    ],
    false,
  ],
  [
    "something else is said",
    [
      ["server", TRANSCRIBES],
      ["server", { type: "input_audio_buffer.committed" }],
      ["server", { type: "x", session: "realtime" }],
    ],
    true,
  ],
])("%s: utterances are responses or not", (_what, said, transcribes) => {
  const words = after(said);
  expect(words.asks({ type: "input_audio_buffer.commit" })).toBe(transcribes);
  expect(words.announces({ type: "input_audio_buffer.speech_started" })).toBe(transcribes);
  expect(words.begins({ type: "input_audio_buffer.committed" }, false)).toBe(transcribes);
  // Sounds alone never are, and what asks for a response always does.
  expect(words.asks({ type: "input_audio_buffer.append", audio: "AAAA" })).toBe(false);
  expect(words.asks({ type: "response.create" })).toBe(true);
  expect(words.begins({ type: "response.created" }, false)).toBe(true);
});
