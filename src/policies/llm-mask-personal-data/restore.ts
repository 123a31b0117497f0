/** The answer's way back: values in the place of placeholders, last of all, so that no policy, cache or log sees them. */
import { RestoringAnswer } from "../../guards/masking/restore-stream.ts";
import { Body, bytesSource } from "../../gateway/body.ts";
import type { Exchange } from "../../gateway/exchange.ts";
import type { ResponseMessage } from "../../gateway/message.ts";
import type { BodySink, BodySource } from "../../transport/transport.ts";

export interface Restoration {
  /** Value by placeholder; not empty. */
  readonly values: ReadonlyMap<string, string>;
  readonly wantsJson: boolean;
}

/** What a changed body makes untrue. */
const DIGESTS = ["content-md5", "digest", "content-digest", "repr-digest"];

/** Restores whatever the client is about to get. Never throws. */
export function restoreReply(exchange: Exchange, element: string, restoration: Restoration): void {
  const { response } = exchange;
  if (response === null || response.body === null || response.body.consumed) return;
  const { body } = response;
  if (body.coding !== "" && body.coding !== "identity") {
    const decoded = decodedBody(body);
    if (decoded === null)
      return exchange.remark(element, `The answer has Content-Encoding ${body.coding}: it is not restored.`);
    response.headers.delete("content-encoding");
    put(exchange, response, restoration, decoded);
    return;
  }
  const content = body.take();
  if (content !== null)
    put(exchange, response, restoration, content instanceof Uint8Array ? bytesSource(content) : content);
}

/** In memory it can be decoded; a stream that is encoded although identity was asked for is left alone. */
function decodedBody(body: Body): BodySource | null {
  if (!body.buffered) return null;
  try {
    return bytesSource(body.bytes());
  } catch {
    return null;
  }
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
      this.#hasRoom = sink.write(copies ? octets.slice() : octets) && this.#hasRoom;
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
