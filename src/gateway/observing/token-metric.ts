/**
 * llm-emit-token-metric and its older twin: tokens of each call as custom metrics (`ai-policies.md` §3). Dimensions are
 * worked out inbound, where the policy stands; the numbers come when the call is settled, from the provider's own usage
 * wherever there is any. Calls that no model served emit nothing.
 */
import type { PolicyDefinition } from "../../compiler/policy.ts";
import type { Usage } from "../../llm/usage.ts";
import { DIMENSION, checkDimensions, complete, prepareDimensions } from "./dimensions.ts";
import type { Exchange } from "../exchange.ts";
import type { ChargeLater } from "../models/later-answers.ts";
import { measure } from "./measure.ts";
import { modelCallOf } from "../models/find-model-call.ts";
import type { ModelCall } from "../models/model-call.ts";
import { definePolicy } from "../policy.ts";

export function tokenMetric(element: string): PolicyDefinition {
  return definePolicy({
    element,
    summary: "Sends the tokens of each call to a model as custom metrics, told apart by dimensions.",
    sections: ["inbound"],
    shape: {
      attributes: {
        namespace: { type: "string", default: "API Management", doc: "Namespace of the metrics." },
      },
      children: { dimension: DIMENSION },
    },
    check: ({ children }, report) => checkDimensions(children.dimension, report, 5),
    prepare: ({ attributes: { namespace }, children }) => {
      const dimensionsOf = prepareDimensions(children.dimension, element);
      const watch = (exchange: Exchange, call: ModelCall | null): void => {
        if (call === null)
          return exchange.remark(element, "This is no request to a model: nothing is emitted.");
        const dimensions = dimensionsOf(exchange);
        call.onSettled((settlement) => {
          if (settlement.evidence === "none") return;
          const values = complete(dimensions, exchange);
          emit(exchange, namespace, dimensions.names, values, settlement.usage);
          if (call.awaits) call.onReportedLater(emittingLater(namespace, dimensions.names, values));
        });
      };
      return (exchange) => {
        const call = modelCallOf(exchange);
        return call instanceof Promise ? call.then((found) => watch(exchange, found)) : watch(exchange, call);
      };
    },
  });
}

function emit(
  exchange: Exchange,
  namespace: string,
  names: readonly string[],
  values: readonly string[],
  usage: Usage,
): void {
  const say = (name: string, tokens: number): void =>
    measure(exchange, namespace, name, names, values, tokens);
  say("Total Tokens", usage.total);
  say("Prompt Tokens", usage.prompt);
  say("Completion Tokens", usage.completion);
  // Categories that a provider does not report are not shown as zeros.
  if (usage.cached > 0) say("Prompt Cached Tokens", usage.cached);
  if (usage.cacheWrites > 0) say("Prompt Cache Creation Tokens", usage.cacheWrites);
  if (usage.reasoning > 0) say("Completion Reasoning Tokens", usage.reasoning);
  if (usage.promptAudio > 0) say("Prompt Audio Tokens", usage.promptAudio);
  if (usage.completionAudio > 0) say("Completion Audio Tokens", usage.completionAudio);
}

/** Holds names and values and nothing else of the call. Sums do not go down: what was emitted too much stays. */
function emittingLater(namespace: string, names: readonly string[], values: readonly string[]): ChargeLater {
  return (usage, _tokens, exchange) => {
    const total = Math.max(0, usage.total);
    const prompt = Math.max(0, usage.prompt);
    const completion = Math.max(0, usage.completion);
    emit(exchange, namespace, names, values, { ...usage, total, prompt, completion });
  };
}
