/**
 * An upstream that streams events, raw on a socket: each connection gets a chunked head and then a chunk every
 * `intervalMs` until `chunks` are out. Run as a process of its own: `node bench/stream-upstream.ts CHUNKS INTERVAL_MS BYTES`.
 */
import { createServer } from "node:net";

const [chunks = 1000, intervalMs = 1, bytes = 120] = process.argv.slice(2).map(Number);
const event = `data: {"choices":[{"delta":{"content":"${"x".repeat(Math.max(0, bytes - 46))}"}}]}\n\n`;
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
