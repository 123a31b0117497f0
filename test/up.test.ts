/** The command as people run it: from an empty folder to an answer, a change on disk, and an orderly end. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";

const COMMAND = join(import.meta.dirname, "..", "bin", "headgate.js");
const folders: string[] = [];
const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function emptyFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "headgate-up-"));
  folders.push(folder);
  return folder;
}

class Up {
  readonly child: ChildProcess;
  readonly exit: Promise<number | null>;
  output = "";
  #waiters: (() => void)[] = [];

  constructor(cwd: string, args: readonly string[], environment: Record<string, string> = {}) {
    const { OPENAI_API_KEY: _key, ...inherited } = process.env;
    this.child = spawn(process.execPath, [COMMAND, "up", ...args], {
      cwd,
      env: { ...inherited, ...environment },
    });
    children.push(this.child);
    for (const stream of [this.child.stdout!, this.child.stderr!]) {
      stream.on("data", (chunk: Buffer) => {
        this.output += chunk.toString();
        for (const waiter of this.#waiters.splice(0)) waiter();
      });
    }
    this.exit = new Promise((resolve) => this.child.on("exit", (code) => resolve(code)));
    void this.exit.then(() => {
      for (const waiter of this.#waiters.splice(0)) waiter();
    });
  }

  async says(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this.output);
      if (match !== null) return match;
      if (this.child.exitCode !== null) throw new Error(`ended with ${this.child.exitCode}: ${this.output}`);
      await new Promise<void>((resolve) => this.#waiters.push(resolve));
    }
  }
}

describe("headgate up", () => {
  it("makes an example, prints a curl that answers, and leaves an editable folder", async () => {
    const folder = emptyFolder();
    const up = new Up(folder, ["--port", "0"], { HEADGATE_DRAIN_SECOND: "1" });
    await up.says(/HEADGATE_DRAIN_SECOND means nothing; did you mean HEADGATE_DRAIN_SECONDS\?/);
    const [, curl] = await up.says(/^ {2}(curl http.*)$/m);
    const banner = up.output.slice(0, up.output.indexOf("Ctrl-C") + 30);
    expect(banner.split("\n").length).toBeLessThanOrEqual(14);
    const answer = await new Promise<string>((resolve, reject) =>
      execFile("sh", ["-c", `${curl!} -sS`], (error, stdout) =>
        error === null ? resolve(stdout) : reject(error),
      ),
    );
    expect(answer).toContain("data: [DONE]");
    expect(existsSync(join(folder, "headgate", "apis", "openai", "policy.xml"))).toBe(true);
    up.child.kill("SIGTERM");
    expect(await up.exit).toBe(0);
  });

  it("keeps the demo key between starts", async () => {
    const folder = emptyFolder();
    const keys: string[] = [];
    for (let i = 0; i < 2; i++) {
      const up = new Up(folder, ["--port", "0", "--json"]);
      keys.push((await up.says(/"demoKey":"([0-9a-f]+)"/))[1]!);
      up.child.kill("SIGTERM");
      await up.exit;
    }
    expect(keys[1]).toBe(keys[0]);
  });

  it("shows a change at once and refuses a broken one with its place", async () => {
    const folder = emptyFolder();
    const up = new Up(folder, ["--port", "0", "--json"]);
    const [, url] = await up.says(/"gateway":"([^"]+)"/);
    const file = join(folder, "headgate", "policy.xml");
    const original = readFileSync(file, "utf8");
    writeFileSync(
      file,
      original.replace(
        "<inbound />",
        `<inbound><return-response><set-status code="299" /></return-response></inbound>`,
      ),
    );
    await up.says(/configuration 2 is live/);
    expect((await fetch(`${url}/openai/v1/models`, { headers: { "api-key": "x" } })).status).toBe(401);
    writeFileSync(file, original.replace("<inbound />", "<inbound><set-heder /></inbound>"));
    await up.says(/the change was refused .*configuration 2 keeps serving/);
    expect(up.output).toMatch(
      /error\[HG\d{4}\]: .*set-heder[\s\S]*--> policy\.xml:3:\d+[\s\S]*did you mean `set-header`/,
    );
    up.child.kill("SIGTERM");
    await up.exit;
  });

  it("drains on SIGTERM: the open stream ends whole, health says draining", async () => {
    const up = new Up(emptyFolder(), ["--port", "0", "--json"]);
    const [, url] = await up.says(/"gateway":"([^"]+)"/);
    const [, key] = await up.says(/"demoKey":"([^"]+)"/);
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    const answer = await fetch(`${url}/openai/v1/chat/completions`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${key}`,
        "content-type": "application/json",
        "x-demo-tokens": "60",
        "x-demo-chunk-ms": "10",
      },
      body: JSON.stringify({ model: "demo", stream: true, messages: [{ role: "user", content: "go on" }] }),
    });
    up.child.kill("SIGTERM");
    await up.says(/draining: 1 request/);
    expect((await answer.text()).trimEnd().endsWith("data: [DONE]")).toBe(true);
    expect(await up.exit).toBe(0);
    expect(up.output).toContain('"msg":"request"');
  });

  it("ends at once on a second signal", async () => {
    const up = new Up(emptyFolder(), ["--port", "0", "--json"]);
    const [, url] = await up.says(/"gateway":"([^"]+)"/);
    const [, key] = await up.says(/"demoKey":"([^"]+)"/);
    const stalled = fetch(`${url}/openai/v1/chat/completions`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${key}`,
        "content-type": "application/json",
        "x-demo-latency-ms": "60000",
      },
      body: JSON.stringify({ model: "demo", messages: [{ role: "user", content: "wait" }] }),
    }).then(
      () => "answered",
      () => "cut",
    );
    await fetch(`${url}/livez`);
    up.child.kill("SIGTERM");
    await up.says(/draining/);
    up.child.kill("SIGTERM");
    expect(await up.exit).toBe(1);
    expect(await stalled).toBe("cut");
  });

  it("moves to the next port when the default one is taken, but not when one was asked for", async () => {
    const blocker = createServer();
    const port = await new Promise<number>((resolve) =>
      blocker.listen(0, "127.0.0.1", () => resolve((blocker.address() as { port: number }).port)),
    );
    const asked = new Up(emptyFolder(), ["--port", String(port)]);
    expect(await asked.exit).toBe(69);
    expect(asked.output).toContain(String(port));
    blocker.close();
  });

  it.each([
    [["--port", "many"], 64, "--port takes a number"],
    [["--config", "nowhere"], 65, "there is no folder nowhere"],
    [["--nonsense"], 64, "unknown option"],
  ])("says what is wrong with %j and exits %i", async (args, code, says) => {
    const up = new Up(emptyFolder(), args);
    expect(await up.exit).toBe(code);
    expect(up.output).toContain(says);
  });
});
