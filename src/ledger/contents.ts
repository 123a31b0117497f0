/**
 * What was said, as far as diagnostics ask to log it: messages of a request and of its answer. In the journal a framed
 * entry: a head line `[1, requestId, part, request octets, response octets, flags]`, the octets, a line feed.
 */

export interface LedgerContents {
  /** Of the `LedgerRecord`, which is appended first. */
  readonly requestId: string;
  readonly part: number;
  /** JSON text of the messages; null = not logged. */
  readonly request: string | null;
  readonly response: string | null;
  /** The text was cut before it came here. */
  readonly requestTruncated: boolean;
  readonly responseTruncated: boolean;
}

/** Octets of one direction that are kept at most (`ai-observability.md` §5.2). */
export const MOST_CONTENTS = 2 * 1024 * 1024;

const VERSION = 1;
const LONGEST_HEAD = 2048;
const LINE_FEED = 0x0a;

/**
 * @param room gives so many octets to write into
 * @returns the entry as it stands in the journal
 */
export function encodeContents(
  contents: LedgerContents,
  room: (bytes: number) => Buffer = Buffer.allocUnsafe,
): Buffer {
  const request = shortened(contents.request);
  const response = shortened(contents.response);
  const requestBytes = request === null ? -1 : Buffer.byteLength(request);
  const responseBytes = response === null ? -1 : Buffer.byteLength(response);
  const flags =
    (contents.requestTruncated || request !== contents.request ? 1 : 0) +
    (contents.responseTruncated || response !== contents.response ? 2 : 0);
  const id = JSON.stringify(contents.requestId.slice(0, 256));
  const head = `[${VERSION},${id},${contents.part},${requestBytes},${responseBytes},${flags}]\n`;
  const headBytes = Buffer.byteLength(head);
  const octets = room(headBytes + Math.max(0, requestBytes) + Math.max(0, responseBytes) + 1);
  octets.write(head);
  if (request !== null) octets.write(request, headBytes);
  if (response !== null) octets.write(response, headBytes + Math.max(0, requestBytes));
  octets[octets.length - 1] = LINE_FEED;
  return octets;
}

const encoder = new TextEncoder();

/** What is kept of a text: as many whole characters as there is room for. */
function shortened(text: string | null): string | null {
  if (text === null || text.length * 3 <= MOST_CONTENTS || Buffer.byteLength(text) <= MOST_CONTENTS)
    return text;
  const { read } = encoder.encodeInto(text, new Uint8Array(MOST_CONTENTS));
  return text.slice(0, read);
}

export interface StoredContents {
  readonly requestId: string;
  readonly part: number;
  readonly request: Uint8Array | null;
  readonly response: Uint8Array | null;
  readonly requestTruncated: boolean;
  readonly responseTruncated: boolean;
}

/**
 * Reads the entry that begins at `offset`.
 *
 * @returns the entry and where the next one begins; "more" when it is not all there; "garbage" when none begins here
 */
export function decodeContents(
  octets: Uint8Array,
  offset: number,
): { contents: StoredContents; end: number } | "more" | "garbage" {
  const headEnd = octets.indexOf(LINE_FEED, offset);
  if (headEnd < 0) return octets.length - offset > LONGEST_HEAD ? "garbage" : "more";
  if (headEnd - offset > LONGEST_HEAD) return "garbage";
  const head = readHead(Buffer.from(octets.subarray(offset, headEnd)).toString());
  if (head === null) return "garbage";
  const requestEnd = headEnd + 1 + Math.max(0, head.requestBytes);
  const responseEnd = requestEnd + Math.max(0, head.responseBytes);
  if (responseEnd >= octets.length) return "more";
  if (octets[responseEnd] !== LINE_FEED) return "garbage";
  const contents = {
    requestId: head.requestId,
    part: head.part,
    request: head.requestBytes < 0 ? null : octets.subarray(headEnd + 1, requestEnd),
    response: head.responseBytes < 0 ? null : octets.subarray(requestEnd, responseEnd),
    requestTruncated: (head.flags & 1) !== 0,
    responseTruncated: (head.flags & 2) !== 0,
  };
  return { contents, end: responseEnd + 1 };
}

function readHead(text: string) {
  let head: unknown;
  try {
    head = JSON.parse(text);
  } catch {
    return null;
  }
  if (!Array.isArray(head) || head.length !== 6) return null;
  const [version, requestId, part, requestBytes, responseBytes, flags] = head as unknown[];
  if (version !== VERSION || typeof requestId !== "string" || typeof flags !== "number") return null;
  if (!isLength(part) || !isLength(requestBytes) || !isLength(responseBytes)) return null;
  return { requestId, part, requestBytes, responseBytes, flags };
}

function isLength(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= -1 && (value as number) <= 1e9;
}
