/**
 * What a server reports to have heard of the caller: his sound has reached the model by then, so it is judged after the
 * fact. One question at a time; what comes meanwhile is gathered.
 */
import type { Heard } from "../../llm/dialect.ts";
import type { GatewayError } from "../errors.ts";
import { OVERLAP, characterStart } from "./questions.ts";

/** UTF-16 units of pieces that are judged before what is said has come to its end. */
const WINDOW = 200;
/** UTF-16 units that wait. */
const MOST_WAITING = 256 * 1024;

export interface HeardCheck {
  /** @returns why the session must end; null when it may go on. Never rejects. */
  judge(text: string): Promise<GatewayError | null>;
  /** More is said than can be judged. */
  tooLarge(): GatewayError;
  refused(failure: GatewayError): void;
}

export class HeardWords {
  readonly #check: HeardCheck;
  /** Pieces that were not judged yet, and the end of those that were. */
  #pieces = "";
  #tail = "";
  #waiting: string[] = [];
  #waitingSize = 0;
  #asking = false;
  #over = false;

  constructor(check: HeardCheck) {
    this.#check = check;
  }

  take({ text, isPiece }: Heard): void {
    if (!isPiece) {
      // It says all pieces once more.
      this.#pieces = "";
      this.#tail = "";
      this.#put(text);
      return;
    }
    this.#pieces += text;
    if (this.#pieces.length >= WINDOW) this.flush();
  }

  /** Whatever was said is said. */
  flush(): void {
    if (this.#pieces === "") return;
    const text = this.#tail + this.#pieces;
    this.#pieces = "";
    this.#tail = text.slice(characterStart(text, Math.max(0, text.length - OVERLAP)));
    this.#put(text);
  }

  stop(): void {
    this.#over = true;
    this.#waiting = [];
  }

  #put(text: string): void {
    if (this.#over || text.trim() === "") return;
    this.#waiting.push(text);
    this.#waitingSize += text.length;
    if (this.#waitingSize > MOST_WAITING) this.#refuse(this.#check.tooLarge());
    else if (!this.#asking) this.#ask();
  }

  #ask(): void {
    const text = this.#waiting.join("\n");
    this.#waiting = [];
    this.#waitingSize = 0;
    this.#asking = true;
    void this.#check.judge(text).then((failure) => {
      this.#asking = false;
      if (this.#over) return;
      if (failure !== null) this.#refuse(failure);
      else if (this.#waiting.length > 0) this.#ask();
    });
  }

  #refuse(failure: GatewayError): void {
    this.stop();
    this.#check.refused(failure);
  }
}
