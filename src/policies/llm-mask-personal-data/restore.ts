/** The answer's way back: values in the place of placeholders, last of all, so that no policy, cache or log sees them. */
import { RestoringAnswer } from "../../guards/masking/restore-stream.ts";
import { Body, bytesSource } from "../../gateway/body.ts";
import type { Exchange } from "../../gateway/exchange.ts";
import type { ResponseMessage } from "../../gateway/message.ts";
import { decodedSource } from "./decoded-source.ts";
import type { BodySink, BodySource } from "../../transport/transport.ts";

export interface Restoration {
  /** Value by placeholder; not empty. */
  readonly values: ReadonlyMap<string, string>;
  readonly wantsJson: boolean;
}

const CODINGS = /^(?:x-gzip|gzip|deflate|br)$/;
/** What a changed body makes untrue. */
const DIGESTS = ["content-md5", "digest", "content-digest", "repr-digest"];

/** Restores whatever the client is about to get. Never throws. */
export function restoreReply(exchange: Exchange, element: string, restoration: Restoration): void {
  const { response } = exchange;
  if (response === null || response.body === null || response.body.consumed) return;
  const { body } = response;
  const { coding } = body;
  const isEncoded = coding !== "" && coding !== "identity";
  if (isEncoded && !CODINGS.test(coding))
    return exchange.remark(element, `The answer has Content-Encoding ${coding}: it is not restored.`);
  const content = body.take();
  if (content === null) return;
  const source = content instanceof Uint8Array ? bytesSource(content) : content;
  if (isEncoded) response.headers.delete("content-encoding");
  put(exchange, response, restoration, isEncoded ? decodedSource(source, coding) : source);
}

function put(
  exchange: Exchange,
  response: ResponseMessage,
  restoration: Restoration,
  source: BodySource,
): void {
  for (const name of DIGESTS) response.headers.delete(name);
  const options = {
    ...restoration,
    contentType: response.headers.get("content-type"),
    mostBytes: exchange.snapshot.options.bufferLimitBytes,
  };
  response.body = Body.streaming(
    "response",
    {
      length: undefined,
      start: (sink) => source.start(new RestoringSink(sink, options)),
      resume: () => source.resume(),
      cancel: () => source.cancel(),
    },
    response.headers,
  );
}

class RestoringSink implements BodySink {
  readonly borrows = true;
  readonly #sink: BodySink;
  readonly #answer: RestoringAnswer;
  #hasRoom = true;

  constructor(sink: BodySink, options: ConstructorParameters<typeof RestoringAnswer>[0]) {
    this.#sink = sink;
    const copies = sink.borrows !== true;
    this.#answer = new RestoringAnswer(options, (octets) => {
      this.#hasRoom = sink.write(copies ? new Uint8Array(octets) : octets) && this.#hasRoom;
    });
  }

  write(chunk: Uint8Array): boolean {
    this.#hasRoom = true;
    this.#answer.write(chunk);
    return this.#hasRoom;
  }

  end(trailers?: string[]): void {
    this.#answer.end();
    this.#sink.end(trailers);
  }

  fail(error: Parameters<BodySink["fail"]>[0]): void {
    this.#answer.end();
    this.#sink.fail(error);
  }
}
