/** Asking the model as a function, for the tables of tests. */
import { HeaderList } from "../base/headers.ts";
import { DEFAULT_CONTROL } from "./control.ts";
import { answerRequest, type ModelSettings } from "./model.ts";
import { isWrite, toBytes, type Answer, type Step } from "./steps.ts";

const settings: ModelSettings = {
  defaults: DEFAULT_CONTROL,
  models: ["demo/echo"],
  onlyListed: false,
  apiKeys: null,
  contextTokens: 1000,
};
const stamp = { id: "demo1", created: 1767225600 };

export function post(
  target: string,
  body: unknown,
  headers: string[] = [],
  change: Partial<ModelSettings> = {},
): Answer {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const request = { method: "POST", target, headers: new HeaderList(headers), body: toBytes(text) };
  return answerRequest(request, { ...settings, ...change }, stamp);
}

export const ask = (content: string): object[] => [{ role: "user", content }];

export function chat(fields: object, headers: string[] = []): any {
  const answer = post("/v1/chat/completions", { model: "m", messages: ask("Hi"), ...fields }, headers);
  return { status: answer.status, ...JSON.parse(answer.body as string) };
}

export function writes(answer: Answer): string[] {
  return [...(answer.body as Iterable<Step>)]
    .filter(isWrite)
    .map((step) => Buffer.from(toBytes(step)).toString());
}

/** Data of each event; `[DONE]` stays text. */
export function events(answer: Answer): any[] {
  return writes(answer)
    .join("")
    .split("\n\n")
    .filter((event) => event !== "")
    .map((event) => {
      const data = event
        .split("\n")
        .find((line) => line.startsWith("data: "))!
        .slice(6);
      return data === "[DONE]" ? data : JSON.parse(data);
    });
}

export const weather = {
  type: "function",
  function: {
    name: "get_weather",
    parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
  },
};
