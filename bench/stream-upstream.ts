/**
 * An upstream that streams events, raw on a socket: each connection gets a chunked head and then a chunk every
 * `intervalMs` until `chunks` are out. Run as a process of its own: `node bench/stream-upstream.ts CHUNKS INTERVAL_MS BYTES`;
`openai` instead of a number: events as OpenAI sends them.
 */
import { createServer } from "node:net";

const [chunks = 1000, intervalMs = 1, bytes = 120] = process.argv.slice(2).map(Number);
const AS_OPENAI = {
  id: "chatcmpl-C0a1B2c3D4e5F6g7H8i9J0k1L2m3N",
  object: "chat.completion.chunk",
  created: 1_730_000_000,
  model: "gpt-4o-2024-08-06",
  service_tier: "default",
  system_fingerprint: "fp_0a1b2c3d4e",
  choices: [{ index: 0, delta: { content: " word" }, logprobs: null, finish_reason: null }],
};
const event = Number.isNaN(bytes)
  ? `data: ${JSON.stringify(AS_OPENAI)}\n\n`
  : `data: {"choices":[{"delta":{"content":"${"x".repeat(Math.max(0, bytes - 46))}"}}]}\n\n`;
const chunk = Buffer.from(`${event.length.toString(16)}\r\n${event}\r\n`);
const head = Buffer.from(
  "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n",
);
const tail = Buffer.from("0\r\n\r\n");

const server = createServer({ noDelay: true }, (socket) => {
  let timer: NodeJS.Timeout | null = null;
  socket.on("error", () => socket.destroy());
  socket.on("close", () => timer !== null && clearInterval(timer));
  socket.on("data", () => {
    if (timer !== null) return;
    socket.write(head);
    let left = chunks;
    timer = setInterval(() => {
      if (left-- > 0) {
        socket.write(chunk);
        return;
      }
      clearInterval(timer!);
      timer = null;
      socket.write(tail);
    }, intervalMs);
  });
});
server.listen(0, "127.0.0.1", () => console.log(`port ${(server.address() as { port: number }).port}`));
