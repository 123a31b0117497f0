import { readFileSync, readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { FoundAnswer } from "../dialect.ts";
import { dialectNamed } from "../recognise.ts";
import { tapAnswer } from "../response-tap.ts";
import { tapSession } from "../session-tap.ts";
import { NO_USAGE } from "../usage.ts";
import { ANTHROPIC } from "./anthropic.fixture.ts";
import { BEDROCK } from "./bedrock.fixture.ts";
import type { CorpusCase, Said } from "./corpus.fixture.ts";
import { GEMINI } from "./gemini.fixture.ts";
import { OPENAI } from "./openai.fixture.ts";

const FAMILIES: Readonly<Record<string, readonly CorpusCase[]>> = {
  openai: OPENAI,
  anthropic: ANTHROPIC,
  gemini: GEMINI,
  bedrock: BEDROCK,
};

/** Everything but ids, in one flat object that a failing test can show. */
function read(recorded: CorpusCase, chunks: Iterable<Uint8Array>): unknown {
  const dialect = dialectNamed(recorded.dialect)!;
  let found: FoundAnswer;
  if (recorded.file.endsWith(".frames")) {
    const session = tapSession(dialect, { extensions: "permessage-deflate", keepText: 1e6 });
    for (const chunk of chunks) session.fromServer(chunk);
    found = session.found;
  } else {
    const tap = tapAnswer(dialect, {
      contentType: recorded.contentType ?? null,
      contentEncoding: recorded.contentEncoding ?? null,
      keepText: 1e6,
    });
    for (const chunk of chunks) tap.write(chunk);
    if (tap.end() !== undefined) throw new Error("small answers are read at once");
    found = tap.found;
  }
  const { id: _, text, ...rest } = found;
  return { ...rest, text: text.read(null) };
}

function expected(said: Said): unknown {
  const [prompt, completion] = said.tokens ?? [0, 0];
  return {
    model: said.model ?? null,
    usage:
      said.tokens === undefined
        ? null
        : {
            ...NO_USAGE,
            prompt,
            completion,
            total: said.total ?? prompt + completion,
            cached: said.cached ?? 0,
            cacheWrites: said.cacheWrites ?? 0,
            reasoning: said.reasoning ?? 0,
            promptAudio: said.promptAudio ?? 0,
            completionAudio: said.completionAudio ?? 0,
            cachedInside: said.cachedBeside !== true,
          },
    finishReason: said.finish ?? null,
    complete: said.whole === true,
    goesOn: said.goesOn === true,
    error: said.error ?? null,
    textLength: (said.text ?? "").length,
    text: said.text ?? "",
    responses: said.responses ?? (said.whole === true ? 1 : 0),
  };
}

/** One chunk, overwritten after use: whoever keeps a borrowed chunk fails. */
function* cut(octets: Uint8Array, ...ends: readonly number[]): Generator<Uint8Array> {
  let from = 0;
  for (const end of [...ends, octets.length]) {
    const chunk = Buffer.from(octets.subarray(from, end));
    yield chunk;
    chunk.fill(0x7b);
    from = end;
  }
}

for (const [family, cases] of Object.entries(FAMILIES)) {
  const folder = `${import.meta.dirname}/${family}`;
  describe(family, () => {
    it("has an expectation for every file", () => {
      expect([...new Set(cases.map(({ file }) => file))].sort()).toEqual(readdirSync(folder).sort());
    });

    for (const recorded of cases) {
      it(`${recorded.file} ${recorded.contentType ?? ""}`, () => {
        const octets = readFileSync(`${folder}/${recorded.file}`);
        const said = expected(recorded.said);
        expect(read(recorded, cut(octets))).toEqual(said);
        const bytes = Array.from({ length: octets.length }, (_, i) => i);
        expect(read(recorded, cut(octets, ...bytes)), "octet by octet").toEqual(said);
        const wanted = inOrder(said);
        for (let at = 1; at < octets.length; at++) {
          const got = read(recorded, cut(octets, at));
          // `toEqual` a thousand times a file is what would take the time.
          if (inOrder(got) !== wanted) expect(got, `cut at ${at}`).toEqual(said);
        }
      });
    }
  });
}

function inOrder(value: unknown): string {
  return JSON.stringify(value, KEYS);
}

const KEYS = [...Object.keys(expected({ tokens: [0, 0] }) as object), ...Object.keys(NO_USAGE)];
