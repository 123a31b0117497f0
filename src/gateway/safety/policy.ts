/**
 * llm-content-safety (`ai-policies.md` §4): texts of prompts and completions are shown to a service that judges them, and
 * what it objects to goes no further. When the service cannot judge, nothing passes either, unless the author says so.
 */
import { suggest } from "../../base/suggest.ts";
import type { PolicyDefinition, Site, Value } from "../../compiler/policy.ts";
import { BUILT_IN_CATEGORIES } from "../../guards/built-in/guard.ts";
import { GatewayError } from "../errors.ts";
import type { Exchange } from "../exchange.ts";
import { modelCallOf } from "../models/find-model-call.ts";
import { definePolicy, responseOf } from "../policy.ts";
import { type Windows, checkCompletion } from "./completions.ts";
import { BUILT_IN_GUARD } from "./guards.ts";
import type { Rules } from "./judge.ts";
import { questionsOf } from "./questions.ts";
import { readRequestTexts } from "./request-texts.ts";
import { SafetyCheck } from "./safety-check.ts";
import type { SessionCheck } from "./safety-session.ts";

/** Of Azure AI Content Safety. */
const CATEGORIES: readonly string[] = ["Hate", "SelfHarm", "Sexual", "Violence"];
/** Characters of text in one request. */
const MOST_TEXT = 1024 * 1024;

interface Given {
  readonly backend: Value<string>;
  readonly shields: Value<boolean>;
  readonly enforces: Value<boolean>;
  readonly windowSize: Value<number> | undefined;
  readonly overlap: Value<number> | undefined;
  readonly categories: readonly { readonly name: Value<string>; readonly threshold: Value<number> }[];
  readonly outputType: Value<string> | null;
  readonly blocklists: readonly Value<string>[];
  readonly allowsOnError: boolean;
  readonly concatenates: boolean;
  readonly embeddings: boolean;
  readonly mostText: number;
  readonly notifies: boolean;
  readonly timeoutMs: number;
}

export function contentSafety(element: string): PolicyDefinition {
  return definePolicy({
    element,
    summary: "Refuses prompts and completions that a content safety service objects to.",
    sections: ["inbound", "outbound"],
    shape: {
      attributes: {
        "backend-id": {
          type: "string",
          expression: true,
          required: true,
          references: "backend",
          doc: "Backend of the safety service: the root of an Azure AI Content Safety resource, or of a service with its contract; `built-in`: the gateway's own detectors.",
        },
        "shield-prompt": {
          type: "bool",
          expression: true,
          default: false,
          doc: "Also look for attacks in prompts (jailbreaks, injected instructions).",
        },
        "enforce-on-completions": {
          type: "bool",
          expression: true,
          default: false,
          doc: "Inbound only: hold the completion against the same categories and blocklists.",
        },
        "window-size": {
          type: "int",
          expression: true,
          min: 1,
          max: 10_000,
          doc: "Characters of a streamed answer, or of a session's, that are judged, and released, together. Default: as many as the service takes.",
        },
        "window-overlap-size": {
          type: "int",
          expression: true,
          min: 0,
          max: 9_999,
          doc: "Characters that neighbouring windows share. At least 200 are shared in any case.",
        },
        "on-error": {
          type: "string",
          oneOf: ["deny", "allow"],
          default: "deny",
          doc: "Ours: what becomes of texts that the service could not judge.",
        },
        concatenate: {
          type: "bool",
          default: false,
          doc: "Ours: judge all texts of a request as one, as Azure API Management does; harmless words then dilute harmful ones.",
        },
        embeddings: {
          type: "bool",
          default: false,
          doc: "Ours: judge requests for embeddings, too.",
        },
        "max-size": {
          type: "int",
          min: 1,
          default: MOST_TEXT,
          doc: "Ours: characters of text that a request, or a message of a WebSocket session, may have; more is answered with 413, or 1009.",
        },
        "timeout-ms": {
          type: "int",
          min: 1,
          max: 600_000,
          default: 10_000,
          doc: "Ours: how long one question may take.",
        },
        notify: {
          type: "bool",
          default: false,
          doc: "Ours: an event stream that is cut off ends with an event that says `content_filter`.",
        },
      },
      children: {
        categories: {
          max: 1,
          attributes: {
            "output-type": {
              type: "string",
              expression: true,
              oneOf: ["FourSeverityLevels", "EightSeverityLevels"],
              default: "FourSeverityLevels",
              doc: "Severities 0, 2, 4, 6, or 0 to 7.",
            },
          },
          children: {
            category: {
              attributes: {
                name: {
                  type: "string",
                  expression: true,
                  required: true,
                  doc: "Hate, SelfHarm, Sexual, Violence, or another that the service knows.",
                },
                threshold: {
                  type: "int",
                  expression: true,
                  required: true,
                  min: 0,
                  max: 7,
                  doc: "This severity and more is refused; 0 refuses everything.",
                },
              },
            },
          },
          doc: "What is judged by severity.",
        },
        blocklists: {
          max: 1,
          children: {
            id: {
              text: { type: "string", expression: true, required: true },
              doc: "Name of a blocklist that the service has; any match refuses.",
            },
          },
          doc: "Lists of words that the service keeps.",
        },
      },
    },
    check: ({ attributes, children }, report, site) => {
      const categories = children.categories.flatMap((one) => one.children.category);
      const lists = children.blocklists.flatMap((one) => one.children.id);
      const shields = attributes["shield-prompt"].constant !== false && site.section === "inbound";
      if (categories.length === 0 && lists.length === 0 && !shields)
        report(
          "nothing would be judged: there are neither categories nor blocklists, nor is the prompt shielded",
          {},
          site.section === "outbound"
            ? "add <categories> or <blocklists>; shield-prompt is for prompts alone"
            : 'add <categories> or <blocklists>, or shield-prompt="true"',
        );
      else if (
        categories.length === 0 &&
        lists.length === 0 &&
        attributes["enforce-on-completions"].constant === true
      )
        report(
          "completions are held against categories and blocklists, and there are none",
          { attribute: "enforce-on-completions" },
          undefined,
          "warning",
        );
      const isBuiltIn = attributes["backend-id"].constant === BUILT_IN_GUARD;
      if (isBuiltIn && lists.some(({ text }) => text.constant !== undefined))
        report(
          "the gateway's own detectors have no blocklists here: every call would be refused as not judged",
          { child: "blocklists" },
          "write the lists at a backend whose URL is `built-in:`, and name that backend",
        );
      const known: readonly string[] = isBuiltIn ? BUILT_IN_CATEGORIES : CATEGORIES;
      categories.forEach(({ attributes: { name } }, index) => {
        const { constant } = name;
        // Those of our own also stand at backends whose URL is `built-in:`, which cannot be seen from here.
        if (constant === undefined || (BUILT_IN_CATEGORIES as readonly string[]).includes(constant)) return;
        const meant = suggest(constant, known);
        report(
          isBuiltIn
            ? `the gateway's own detectors know no category '${constant}'`
            : `Azure AI Content Safety has no category '${constant}'`,
          { child: "categories/category", index, attribute: "name", value: true },
          meant === null ? `known are ${known.join(", ")}` : `did you mean '${meant}'?`,
          isBuiltIn ? "error" : "warning",
        );
      });
    },
    prepare: ({ attributes, children }, site) => {
      const given: Given = {
        backend: attributes["backend-id"],
        shields: attributes["shield-prompt"],
        enforces: attributes["enforce-on-completions"],
        windowSize: attributes["window-size"],
        overlap: attributes["window-overlap-size"],
        categories: children.categories.flatMap((one) =>
          one.children.category.map((category) => category.attributes),
        ),
        outputType: children.categories[0]?.attributes["output-type"] ?? null,
        blocklists: children.blocklists.flatMap((one) => one.children.id.map(({ text }) => text)),
        allowsOnError: attributes["on-error"] === "allow",
        concatenates: attributes.concatenate,
        embeddings: attributes.embeddings,
        mostText: attributes["max-size"],
        notifies: attributes.notify,
        timeoutMs: attributes["timeout-ms"],
      };
      if (site.section === "inbound") return (exchange) => checkRequest(given, exchange, site);
      return (exchange) => {
        const check = checkOf(given, exchange, site, false);
        if (exchange.tunnel !== null && exchange.response?.statusCode === 101)
          return joinSession(exchange, { check, prompts: null, windows: windowsOf(given, exchange) });
        return checkCompletion(check, responseOf(exchange), windowsOf(given, exchange));
      };
    },
  });
}

async function checkRequest(given: Given, exchange: Exchange, site: Site): Promise<void> {
  const check = checkOf(given, exchange, site, given.shields(exchange.context));
  const enforces = given.enforces(exchange.context);
  if (enforces) enforce(given, exchange, check);
  if (exchange.incoming.upgrade && exchange.api?.type === "websocket") {
    const prompts = { concatenates: given.concatenates, mostText: given.mostText };
    return joinSession(exchange, {
      check,
      prompts,
      windows: enforces ? windowsOf(given, exchange) : null,
    });
  }
  const { body } = exchange.request;
  const say = (text: string): void => exchange.remark(check.element, text);
  if (body === null || body.consumed) return say("There is no text to judge.");
  const waiting = body.buffer(exchange.snapshot.options.bufferLimitBytes);
  if (waiting !== undefined) await waiting;
  const call = await modelCallOf(exchange);
  if (!given.embeddings && call !== null && isEmbeddings(call))
    return say("Requests for embeddings are not judged.");
  const contentType = exchange.request.headers.get("content-type");
  const texts = readRequestTexts(body.bytes(), body.charset, contentType, call !== null);
  if (texts.media) say("Pictures, sounds and files are not judged.");
  let size = 0;
  for (const { parts } of texts.turns) for (const part of parts) size += part.length;
  if (size > given.mostText)
    throw check.tooLarge(
      `The request has more text than content safety may judge (${given.mostText} characters).`,
    );
  const { guard } = check;
  if (guard === null) return;
  const questions = questionsOf(texts, guard.mostCharacters, given.concatenates, check.rules.shieldsPrompt);
  if (questions.analyze.length === 0 && questions.shield.length === 0)
    return say("There is no text to judge.");
  await check.prompt(questions);
}

/** Should the request become a WebSocket session, this is what judges it. @throws GatewayError when nobody can */
async function joinSession(exchange: Exchange, one: SessionCheck): Promise<void> {
  const { check } = one;
  if (check.guard === null) return;
  // Whose words are whose is told by the dialect.
  await modelCallOf(exchange);
  // As with encoded answers: what is compressed could be judged, but only as long as nothing of it is missed.
  exchange.request.headers.delete("sec-websocket-extensions");
  (exchange.sessionChecks ??= []).push(one);
  exchange.remark(check.element, "What is said over the WebSocket is judged message by message.");
}

type Call = NonNullable<Awaited<ReturnType<typeof modelCallOf>>>;

function isEmbeddings(call: Call): boolean {
  return call.dialect.operation === "embeddings" || call.request.prompt().kind === "embeddings";
}

/** The answer is judged before anything else sees it. Errors of backends are nobody's completion, and for `retry` to see. */
function enforce(given: Given, exchange: Exchange, check: SafetyCheck): void {
  const windows = windowsOf(given, exchange);
  // Encoded streams could only be judged whole.
  exchange.request.headers.delete("accept-encoding");
  (exchange.answerChecks ??= []).push((response) =>
    response.statusCode >= 400 ? undefined : checkCompletion(check, response, windows),
  );
}

function checkOf(given: Given, exchange: Exchange, site: Site, shieldsPrompt: boolean): SafetyCheck {
  const { context } = exchange;
  const rules: Rules = {
    categories: given.categories.map(({ name, threshold }) => ({
      name: name(context),
      threshold: within(threshold(context), 0, 7, "threshold", site),
    })),
    blocklists: given.blocklists.map((id) => id(context)),
    outputType: /^eightseveritylevels$/i.test(given.outputType?.(context) ?? "")
      ? "EightSeverityLevels"
      : "FourSeverityLevels",
    shieldsPrompt,
  };
  const service = { backendId: given.backend(context), timeoutMs: given.timeoutMs };
  return new SafetyCheck(exchange, site, service, rules, given.allowsOnError);
}

function windowsOf({ windowSize, overlap, notifies }: Given, { context }: Exchange): Windows {
  return {
    size: windowSize === undefined ? null : Math.max(1, windowSize(context)),
    overlap: overlap === undefined ? 0 : Math.max(0, overlap(context)),
    notifies,
  };
}

function within(value: number, least: number, most: number, name: string, site: Site): number {
  if (value >= least && value <= most) return value;
  throw new GatewayError({
    source: site.element,
    reason: "ContentSafetyMisconfigured",
    message: `${name} is ${value}; it must be ${least} to ${most}.`,
    status: 500,
    code: "content_safety_misconfigured",
  });
}
