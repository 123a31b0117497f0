/** A body under a content-coding, decoded as it comes: for answers that are encoded although nobody asked for it. */
import type { Transform } from "node:stream";
import { createBrotliDecompress, createGunzip, createInflate } from "node:zlib";
import { type BodySink, type BodySource, TransportError } from "../../transport/transport.ts";

const DECODERS: Readonly<Record<string, () => Transform>> = {
  gzip: createGunzip,
  "x-gzip": createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
};

/** @param coding gzip, x-gzip, deflate or br */
export function decodedSource(source: BodySource, coding: string): BodySource {
  const decoder = DECODERS[coding]!();
  return {
    length: undefined,
    start: (sink) => pump(source, decoder, sink),
    resume: () => decoder.resume(),
    cancel: () => {
      source.cancel();
      decoder.destroy();
    },
  };
}

function pump(source: BodySource, decoder: Transform, sink: BodySink): void {
  let trailers: string[] | undefined;
  let over = false;
  const fail = (error: TransportError): void => {
    if (over) return;
    over = true;
    decoder.destroy();
    sink.fail(error);
  };
  decoder.on("data", (octets: Buffer) => {
    if (!over && !sink.write(octets)) decoder.pause();
  });
  decoder.on("drain", () => source.resume());
  decoder.on("end", () => {
    if (over) return;
    over = true;
    sink.end(trailers);
  });
  decoder.on("error", (cause: Error) => {
    source.cancel();
    fail(new TransportError("upstream_protocol", `The answer could not be decoded: ${cause.message}`));
  });
  source.start({
    // What is written waits inside the decoder: it must be a copy.
    write: (chunk) => decoder.write(chunk),
    end: (given) => {
      trailers = given;
      decoder.end();
    },
    fail,
  });
}
