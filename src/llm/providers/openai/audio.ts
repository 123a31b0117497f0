/** Speech, transcriptions and translations. Newer models report tokens, older ones seconds or nothing. */
import { isJsonObject } from "../../../base/json-object.ts";
import { newAnswer, wrote } from "../../answer.ts";
import type { AnswerReader, Dialect, FoundAnswer } from "../../dialect.ts";
import { inputParts } from "./completions.ts";
import { errorIn, noteEnd, noteServed } from "./fields.ts";
import { postsTo } from "./paths.ts";
import { PlainRequest, type PlainFields } from "./plain-request.ts";
import { readUsage } from "./usage.ts";

/** Two dialects of one name: telemetry tells the operations apart. */
export const openaiSpeech: Dialect = {
  name: "openai-audio",
  provider: "openai",
  operation: "speech",
  matchesLine: (line) => postsTo(line, "/audio/speech"),
  readRequest: (body, line) => new PlainRequest(body ?? {}, line, FIELDS),
  readAnswer: (keepText) => new AudioReader(keepText),
};

export const openaiAudio: Dialect = {
  ...openaiSpeech,
  operation: "transcription",
  readRequest: (body, line) => new PlainRequest(body ?? {}, line, TRANSCRIPTION_FIELDS),
  matchesLine: (line) => postsTo(line, "/audio/transcriptions") || postsTo(line, "/audio/translations"),
};

const FIELDS: PlainFields = {
  kind: "other",
  input: "input",
  parts: inputParts,
  outputBound: null,
  parameters: [["temperature", "temperature"]],
};

/** Their text only tells the model what to expect. */
const TRANSCRIPTION_FIELDS: PlainFields = { ...FIELDS, input: "prompt" };

class AudioReader implements AnswerReader {
  readonly found: FoundAnswer;

  constructor(keepText: number) {
    this.found = newAnswer(keepText);
  }

  take(event: string | null, value: unknown): void {
    if (!isJsonObject(value)) return;
    const found = this.found;
    noteServed(found, value);
    const type = typeof value["type"] === "string" ? value["type"] : (event ?? "");
    found.error = errorIn(value, type) ?? found.error;
    found.usage = readUsage(value["usage"]) ?? found.usage;
    if (type === "transcript.text.delta") {
      wrote(found, 0, value["delta"]);
    } else if (type === "transcript.text.done" || type === "" || type === "transcription") {
      // The whole text; deltas, if there were any, were it already.
      if (found.textLength === 0) wrote(found, 0, value["text"]);
      if (typeof value["text"] === "string") noteEnd(found);
    } else if (type === "speech.audio.done") {
      noteEnd(found);
    }
  }
}
