/**
 * One `llm-content-safety` at work on one exchange: asks, decides, and says what came of it in trace, log and metrics. The
 * texts themselves are never said.
 */
import type { Site } from "../../compiler/policy.ts";
import { type Guard, GuardUnavailable } from "../../guards/guard.ts";
import { GatewayError } from "../errors.ts";
import type { Exchange } from "../exchange.ts";
import type { SafetyService } from "../services.ts";
import { type Finding, type Pieces, type Rules, judge, judgeTexts } from "./judge.ts";
import { type SafetyAction, noteSafety } from "./noted-action.ts";
import type { Questions } from "./questions.ts";

/** Where the verdict stands for expressions: JSON text. */
export const RESULT_VARIABLE = "content-safety-result";

const REFUSED = "Request failed content safety check.";

export class SafetyCheck {
  readonly exchange: Exchange;
  readonly element: string;
  readonly rules: Rules;
  readonly #site: Site;
  readonly #service: SafetyService;
  readonly #allowsOnError: boolean;
  #guard: Guard | null = null;

  constructor(
    exchange: Exchange,
    site: Site,
    service: Pick<SafetyService, "backendId" | "timeoutMs">,
    rules: Rules,
    allowsOnError: boolean,
  ) {
    this.exchange = exchange;
    this.element = site.element;
    this.rules = rules;
    this.#site = site;
    // As it is here: later policies may put the key of the model there, and what a model answers is judged after them.
    const authorization = exchange.request.headers.get("authorization");
    this.#service = { ...service, source: site.element, authorization };
    this.#allowsOnError = allowsOnError;
  }

  /** UTF-16 units that one question may have. @throws GatewayError when there is no guard and that must not be */
  get guard(): Guard | null {
    try {
      return (this.#guard ??= this.exchange.services.guardFor(this.exchange, this.#service));
    } catch (error) {
      const failure = this.#unavailable(error, "all");
      if (failure !== null) throw failure;
      return null;
    }
  }

  /** @throws GatewayError when the prompt must not go on */
  async prompt(questions: Questions): Promise<void> {
    const failure = await this.judged(questions);
    if (failure !== null) throw failure;
  }

  /** @returns why the prompt must not go on; null when it may. Never rejects. */
  judged(questions: Questions): Promise<GatewayError | null> {
    return this.#decide("prompt", (guard) => judge(guard, this.rules, questions, this.#allowsOnError));
  }

  /** @returns why the completion must not go on; null when it may. Never rejects. */
  completion(texts: readonly string[], pieces: Pieces): Promise<GatewayError | null> {
    return this.#decide("completion", (guard) =>
      judgeTexts(guard, this.rules, texts, pieces, this.#allowsOnError),
    );
  }

  /** What cannot be read cannot be judged. */
  unreadable(why: string, what: "prompt" | "completion" = "completion"): GatewayError | null {
    return this.#unavailable(new GuardUnavailable(why), what);
  }

  tooLarge(message: string): GatewayError {
    this.#count("blocked", "too_large");
    return this.#located({
      reason: "ContentSafetyTextTooLarge",
      message,
      status: 413,
      code: "content_safety_text_too_large",
    });
  }

  async #decide(what: string, ask: (guard: Guard) => Promise<Finding | null>): Promise<GatewayError | null> {
    try {
      const { guard } = this;
      if (guard === null) return null;
      const finding = await ask(guard);
      return finding === null ? this.#passed(what) : this.#blocked(what, finding);
    } catch (error) {
      return error instanceof GatewayError && error.source === this.element
        ? error
        : this.#unavailable(error, what);
    }
  }

  #passed(what: string): null {
    this.#count("passed");
    this.exchange.remark(this.element, `Nothing was found in the ${what}.`);
    return null;
  }

  #blocked(what: string, finding: Finding): GatewayError {
    const { exchange, element } = this;
    const category = labelOf(finding);
    this.#count("blocked", category);
    exchange.services.log({
      level: "warning",
      msg: "content safety blocked",
      code: "content_safety_blocked",
      requestId: exchange.requestId,
      api: exchange.api?.id,
      direction: what,
      ...finding,
    });
    this.#tell({ action: "blocked", direction: what, ...finding });
    exchange.remark(element, `Blocked the ${what}: ${wordsOf(finding)}.`);
    return this.#located({
      reason: "ContentSafetyPolicyViolated",
      message: REFUSED,
      status: 403,
      code: "content_safety_blocked",
    });
  }

  #unavailable(error: unknown, what: string): GatewayError | null {
    const { exchange, element } = this;
    const reason = error instanceof Error ? error.message : String(error);
    // Whoever hung up has ended the call himself.
    const gone = exchange.abort.aborted;
    if (!gone) {
      this.#count(this.#allowsOnError ? "unavailable_allowed" : "unavailable_blocked");
      exchange.services.log({
        level: "warning",
        msg: "content safety unavailable",
        code: "content_safety_unavailable",
        requestId: exchange.requestId,
        api: exchange.api?.id,
        backend: this.#service.backendId,
        direction: what,
        allowed: this.#allowsOnError,
        reason,
      });
    }
    this.#tell({ action: this.#allowsOnError ? "allowed" : "blocked", direction: what, kind: "unavailable" });
    if (this.#allowsOnError && !gone) {
      exchange.remark(element, `Not judged, and let through because on-error says so: ${reason}`);
      return null;
    }
    exchange.remark(element, `Not judged, and so refused: ${reason}`);
    return this.#located({
      reason: "ContentSafetyUnavailable",
      message: `The text could not be judged: ${reason}.`,
      clientMessage: REFUSED,
      status: 403,
      code: "content_safety_unavailable",
    });
  }

  #count(action: SafetyAction, category = ""): void {
    noteSafety(this.exchange, action);
    this.exchange.services.countSafety(action, category);
  }

  #tell(result: Readonly<Record<string, unknown>>): void {
    this.exchange.traced?.detail(this.element, { contentSafety: result });
    this.exchange.variables.set(RESULT_VARIABLE, JSON.stringify(result));
  }

  #located(fields: Omit<ConstructorParameters<typeof GatewayError>[0], "source">): GatewayError {
    const error = new GatewayError({ source: this.element, ...fields });
    // Found while another policy runs (forward-request): it is still this one's.
    error.site = this.#site;
    return error;
  }
}

const CATEGORIES = new Set(["Hate", "SelfHarm", "Sexual", "Violence"]);

/** Bounded: names of categories may come from expressions. */
function labelOf(finding: Finding): string {
  if (finding.kind !== "category") return finding.kind;
  return CATEGORIES.has(finding.category) ? finding.category : "other";
}

function wordsOf(finding: Finding): string {
  switch (finding.kind) {
    case "category":
      return `${finding.category} has severity ${finding.severity}, the threshold is ${finding.threshold}`;
    case "blocklist":
      return `a match in blocklist '${finding.blocklist}'`;
    case "attack":
      return finding.where === "prompt" ? "an attack in the prompt" : "an attack in a document";
  }
}
