/**
 * Puts in what a case cannot know when it is written: where its upstream listens, tokens of its identity provider, and what
 * was said earlier in the same case. The placeholders are described in `case-file.ts`.
 */
import { type KeyObject, createSign, generateKeyPairSync } from "node:crypto";
import type { HeaderList } from "../src/base/headers.ts";
import { PFX } from "./pfx.ts";

/** One message of the case: an answer to the client or a request to the upstream. */
export interface Said {
  readonly headers: HeaderList;
  readonly body: string;
}

export interface Happened {
  readonly answers: readonly Said[];
  readonly seen: readonly Said[];
}

export class Fill {
  readonly #port: () => number;
  readonly #happened: () => Happened;
  #keys: { publicKey: KeyObject; privateKey: KeyObject } | null = null;

  constructor(port: () => number, happened: () => Happened) {
    this.#port = port;
    this.#happened = happened;
  }

  /** @throws Error for a placeholder that speaks of what has not happened */
  readonly text = (text: string): string => {
    if (!text.includes("{")) return text;
    const port = this.#port();
    return text
      .replaceAll("{upstream-host}", `127.0.0.1:${port}`)
      .replaceAll("{upstream}", `http://127.0.0.1:${port}`)
      .replaceAll("{pfx}", PFX)
      .replaceAll("{nobody}", "http://127.0.0.1:9")
      .replace("{long}", () => "x".repeat(5_000_000))
      .replace(/\{(answer|seen) (\d+) ([\w-]+) \/(.+?)\/\}/g, (all, which, number, name, pattern) => {
        const { answers, seen } = this.#happened();
        const message = (which === "answer" ? answers : seen)[Number(number) - 1];
        const where = name === "body" ? message?.body : message?.headers.getAll(name)?.join("\n");
        const found = where === undefined ? null : new RegExp(pattern).exec(where);
        if (found === null) throw new Error(`${all} finds nothing in ${JSON.stringify(where ?? null)}`);
        return found[1] ?? found[0];
      })
      .replace(/\{jwt (\{[^{}]*\})\}/g, (_all, claims: string) => this.#token(claims))
      .replaceAll("{jwks}", () => JSON.stringify({ keys: [this.#publicKey()] }));
  };

  /** Made once for all cases: it takes a while. */
  #pair(): { publicKey: KeyObject; privateKey: KeyObject } {
    return (this.#keys ??= generateKeyPairSync("rsa", { modulusLength: 2048 }));
  }

  #token(claims: string): string {
    const header = JSON.stringify({ alg: "RS256", typ: "JWT", kid: "the-key" });
    const signed = `${Buffer.from(header).toString("base64url")}.${Buffer.from(claims).toString("base64url")}`;
    const signature = createSign("sha256").update(signed).sign(this.#pair().privateKey, "base64url");
    return `${signed}.${signature}`;
  }

  #publicKey(): object {
    return { ...this.#pair().publicKey.export({ format: "jwk" }), kid: "the-key", use: "sig" };
  }
}
