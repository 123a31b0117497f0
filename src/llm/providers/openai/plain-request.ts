/** Requests that have a text or a file and no messages: embeddings, images, audio. */
import type { JsonObject } from "../../../base/json-object.ts";
import type { ModelRequest, RequestLine } from "../../dialect.ts";
import { stringOf } from "../../json-values.ts";
import type { Prompt, PromptPart } from "../../prompt.ts";
import { type Parameters, readParameters } from "./fields.ts";
import { deploymentOf } from "./paths.ts";
import { providerOf } from "./provider.ts";

export interface PlainFields {
  readonly kind: Prompt["kind"];
  /** The field with the text. */
  readonly input: string;
  /** What the field holds. */
  readonly parts: (input: unknown) => PromptPart[];
  readonly outputBound: number | null;
  readonly parameters: readonly (readonly [string, string])[];
}

export class PlainRequest implements ModelRequest {
  readonly #body: JsonObject;
  readonly #fields: PlainFields;
  #prompt: Prompt | null = null;
  readonly model: string | null;
  readonly deployment: string | null;
  readonly provider: string | null;
  readonly stream: boolean;
  readonly outputBound: number | null;
  readonly wantsUsage = false;

  constructor(body: JsonObject, line: RequestLine, fields: PlainFields) {
    this.#body = body;
    this.#fields = fields;
    this.deployment = deploymentOf(line);
    this.provider = providerOf(line);
    this.model = this.deployment ?? stringOf(body["model"]);
    this.stream = body["stream"] === true || body["stream_format"] === "sse";
    this.outputBound = fields.outputBound;
  }

  get parameters(): Parameters {
    return readParameters(this.#body, this.#fields.parameters);
  }

  prompt(): Prompt {
    const { input, parts, kind } = this.#fields;
    this.#prompt ??= {
      messages: [{ role: "", name: null, parts: parts(this.#body[input]) }],
      tools: [],
      schema: null,
      kind,
    };
    return this.#prompt;
  }

  messages(): readonly unknown[] {
    const input = this.#body[this.#fields.input];
    return input === undefined || input === null ? [] : [{ role: "user", content: input }];
  }
}
