/**
 * What a save costs: compiling a document of 200 lines with all its diagnostics. Each document of the run is another text,
 * so that nothing remembered helps; the first ones also pay for parsing the library's signatures and for cold code.
 *
 *     node bench/compile.ts
 *
 * Target: ≤ 20 ms for the median document.
 */
import { PolicyCompiler } from "../src/compiler/compile.ts";
import { compileExpression } from "../src/compiler/csharp/compile-expression.ts";
import * as policies from "../src/policies/index.ts";
import { spreadOf } from "./harness.ts";

const DOCUMENTS = 120;
const TARGET_MS = 20;

/** One piece of a document as authors write them; `%` makes every text another one. */
const PIECE = `    <set-variable name="model%" value="@(context.Request.Body.As<JObject>(preserveContent: true)["model"]?.ToString() ?? "none%")" />
    <choose>
      <when condition="@(context.Variables.GetValueOrDefault<string>("model%", "") == "gpt-%" && context.Request.Method == "POST")">
        <set-header name="x-model-%" exists-action="override">
          <value>@(context.Request.Headers.GetValueOrDefault("x-model-%", "default").ToLower() + "-%")</value>
        </set-header>
        <set-query-parameter name="api-version" exists-action="skip">
          <value>2024-0%</value>
        </set-query-parameter>
      </when>
      <when condition="@(((string)context.Variables["model%"]).StartsWith("claude%") || context.Subscription?.Id == "s%")">
        <set-body>@{
          var body = context.Request.Body.As<JObject>(preserveContent: true);
          var messages = (JArray)body["messages"];
          foreach (var message in messages.Where(m => (string)m["role"] == "system%"))
          {
            message["content"] = message["content"].ToString().Trim() + "%";
          }
          body["stream"] = messages.Count() > % && body.ContainsKey("tools%");
          return body.ToString(Newtonsoft.Json.Formatting.None);
        }</set-body>
      </when>
      <otherwise>
        <return-response>
          <set-status code="400" reason="Bad Request" />
          <set-body>@(new JObject(new JProperty("error%", $"no model {context.RequestId} %")).ToString())</set-body>
        </return-response>
      </otherwise>
    </choose>
`;

function documentOf(seed: number): string {
  const pieces = Array.from({ length: 7 }, (_, i) => PIECE.replaceAll("%", String(seed * 10 + i)));
  return (
    `<policies>\n  <inbound>\n    <base />\n${pieces.join("")}  </inbound>\n  <backend>\n    <base />\n  </backend>\n` +
    `  <outbound>\n    <base />\n  </outbound>\n  <on-error>\n    <base />\n  </on-error>\n</policies>\n`
  );
}

const compiler = new PolicyCompiler(Object.values(policies), compileExpression);
const times: number[] = [];
for (let seed = 0; seed < DOCUMENTS; seed++) {
  const text = documentOf(seed);
  const start = performance.now();
  const { ok, diagnostics } = compiler.compile({ text, scope: "api", scopeId: "/apis/a" });
  times.push(performance.now() - start);
  if (!ok)
    throw new Error(
      `the document has mistakes: ${diagnostics.map(({ code, message }) => `${code} ${message}`).join("; ")}`,
    );
}
const lines = documentOf(0).split("\n").length - 1;
const expressions = documentOf(0).split("@(").length + documentOf(0).split("@{").length - 2;
const settled = spreadOf(times.slice(DOCUMENTS / 4));
console.log(`${lines} lines, ${expressions} expressions`);
console.log(
  `first ${times
    .slice(0, 4)
    .map((ms) => ms.toFixed(1))
    .join(", ")} ms`,
);
console.log(`then  median ${settled.median.toFixed(1)}, most ${settled.max.toFixed(1)} ms`);
console.log(settled.median <= TARGET_MS ? "within target" : "TARGET MISSED");
process.exitCode = settled.median <= TARGET_MS ? 0 : 1;
