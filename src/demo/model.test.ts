import { expect, test } from "vitest";
import { findRoute } from "./model.ts";

test.each([
  ["/v1/chat/completions", "chat/completions", null, null],
  ["/chat/completions", "chat/completions", null, null],
  ["/openai/v1/chat/completions", "chat/completions", null, null],
  ["/openai/deployments/gpt%204/chat/completions", "chat/completions", "gpt 4", null],
  ["/openai/deployments/e/embeddings", "embeddings", "e", null],
  ["/openai/responses", "responses", null, null],
  ["/models/chat/completions", "chat/completions", null, null],
  ["/v1/models", "models", null, null],
  ["/v1/models/demo%2Fecho", "models", null, "demo/echo"],
  ["/v1/models/demo/echo", "models", null, "demo/echo"],
])("path %s is %s", (path, endpoint, deployment, id) => {
  expect(findRoute(path)).toEqual({ endpoint, deployment, id });
});

test.each([
  "/",
  "/v2/models",
  "/v1/chat/completions/1",
  "/v1/chat/completions/",
  "/v1/models/%zz",
  "/x/v1/models",
])("path %s is unknown", (path) => expect(findRoute(path)).toBeNull());
