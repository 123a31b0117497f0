/**
 * Everything this folder can say about somebody's configuration: files (HG50xx to HG54xx, HG56xx) and references
 * between resources (HG45xx, HG46xx). One table, so that wording, severity and the longer text of
 * `headgate explain` stand together, and a code is never used twice.
 */
import type { Problem, Severity, SourceLocation } from "../base/problem.ts";

interface Message {
  readonly severity: Severity;
  /** `{name}` is replaced by the parameter of that name. */
  readonly text: string;
  /** What it means and what to do, for someone who has not seen it before. */
  readonly explain: string;
}

function error(text: string, explain: string): Message {
  return { severity: "error", text, explain };
}
function warning(text: string, explain: string): Message {
  return { severity: "warning", text, explain };
}

export const messages = {
  // HG45xx: references between resources
  HG4501: error(
    "{noun} `{name}` refers to {target} `{reference}`, which does not exist",
    "A resource names another one that is neither in the folder nor built in. References may be plain names, " +
      "relative ids such as `/backends/openai-1`, or full ARM ids of any instance: only the part after " +
      "`/service/{name}` counts, and case does not matter.",
  ),
  HG4502: warning(
    "{noun} `{name}` refers to {target} `{reference}`, which does not exist",
    "The reference leads nowhere, but nothing at run time depends on it: for example the owner of a subscription, " +
      "because users are not part of the usual artifact folders.",
  ),
  HG4503: error(
    "{noun} `{name}` has a reference that cannot be understood: `{reference}`",
    "Write a plain name, a relative id such as `/apis/echo`, or a full ARM id of an API Management service.",
  ),
  HG4504: error(
    "the scope of subscription `{name}` is not one a subscription can have: `{reference}`",
    "A subscription covers everything (`/`), all APIs (`/apis`), one API (`/apis/{id}`) or one product " +
      "(`/products/{id}`); inside a workspace the same below `/workspaces/{id}`.",
  ),
  HG4505: error(
    "pool `{name}` has `{reference}` as a member, which is a pool itself",
    "Pools hold single backends only. List the members of the inner pool directly and use `priority` to group them.",
  ),
  HG4506: error(
    "API `{name}` has no operation `{reference}`",
    "A folder below `operations` belongs to an operation that neither the API's specification nor an " +
      "`operationInformation.json` defines, so its policy would never run.",
  ),
  HG4507: error(
    "version set `{reference}` lacks `{property}`, which its scheme `{scheme}` needs",
    "A version set with the scheme `Header` needs `versionHeaderName`, one with `Query` needs `versionQueryName`.",
  ),
  HG4508: warning(
    "API `{name}` has version `{version}` but belongs to no version set, so the version is not part of any URL",
    "`apiVersion` has an effect only together with `apiVersionSetId`.",
  ),
  HG4509: error(
    "pool `{name}` has no members",
    "A backend of type `Pool` needs 1 to 30 entries in `pool.services`, each with the `id` of a backend.",
  ),
  HG4510: error(
    "backend `{name}` has no `url`",
    "A backend of type `Single` (the default) needs the base URL it stands for; a pool has `type: Pool` and `pool`.",
  ),
  HG4511: warning(
    "API `{name}` has its version `{version}` both in its path and as a URL segment: it answers at `/{path}/{version}`",
    "With the scheme `Segment` the version follows the path. If the path ends with it too, callers must write it twice.",
  ),

  // HG46xx: duplicates
  HG4601: error(
    "API `{name}` has the same path{where} as API `{other}`",
    "Two APIs can share a path only as different versions of one version set; otherwise no request could tell them apart.",
  ),
  HG4602: error(
    "operation `{name}` of API `{api}` has the same method and URL template as operation `{other}`",
    "An operation with the same method and URL template already exists. Names of parameters do not make templates differ: " +
      "`/orders/{id}` and `/orders/{orderId}` match the same requests.",
  ),
  HG4603: error(
    "named value `{name}` has the display name `{display}`, as named value `{other}` has",
    "Policies refer to named values by display name, `{{like-this}}`; it must be unique, and case does not matter.",
  ),
  HG4604: error(
    "revision {revision} of API `{name}` is defined twice",
    "The folder without `;rev=` holds the current revision, whatever its number; the same number appears on another folder.",
  ),
  HG4605: error(
    "API `{name}` has more than one current revision",
    "Exactly one revision of an API may have `isCurrent: true`. The folder without `;rev=` is current when none says so.",
  ),
  HG4606: error(
    "subscription `{name}` has the same key as subscription `{other}`",
    "A key must lead to exactly one subscription.",
  ),
  HG4607: warning(
    "API `{name}` is in more than one product that needs no subscription: `{other}` and `{second}`",
    "Of several open products only one can apply to a request without a key; we take the first by name.",
  ),
  HG4608: error(
    "{noun} `{name}` is defined twice",
    "Both artifact layouts may be mixed, but each resource may appear once. Names are compared without regard to case.",
  ),

  // HG50xx: files as such
  HG5001: error(
    "cannot read this: {reason}",
    "The file or folder exists but the operating system refused to open it.",
  ),
  HG5002: error(
    "the file is larger than {limit}",
    "Configuration files have a size limit so that a wrong folder cannot exhaust memory.",
  ),
  HG5003: error(
    "the file is not UTF-8 text{detail}",
    "All configuration files are read as UTF-8. Other encodings and binary files are refused rather than guessed.",
  ),
  HG5004: warning("the symbolic link leads back to a folder that contains it; it is not followed", "A loop."),
  HG5005: error(
    "the folder is nested deeper than {limit} levels",
    "Artifact folders are a few levels deep; this looks like a wrong folder.",
  ),
  HG5006: error(
    "the folder holds more than {limit} files",
    "This looks like a wrong folder, for example a home directory.",
  ),
  HG5007: error(
    "there is no folder `{path}`",
    "Give the folder that holds `apis`, `products`, `policy.xml` and so on.",
  ),
  HG5008: warning("the symbolic link leads nowhere", "Its target does not exist."),

  // HG51xx: syntax
  HG5101: error(
    "{reason}",
    "The file is not valid JSON. Position and reason are those of the first place that cannot be JSON.",
  ),
  HG5102: error("{reason}", "The file is not valid YAML."),
  HG5103: error(
    "`{key}` is written twice in the same object",
    "Only one of the two could count, and readers disagree which.",
  ),
  HG5104: error(
    "values are nested deeper than {limit} levels",
    "No resource is that deep; this protects the process.",
  ),
  HG5105: error("the file is empty", "An information file holds at least `{}`."),
  HG5106: error(
    "the file must hold {expected}, but holds {actual}",
    "See the layout of this file in the guide.",
  ),
  HG5107: error(
    "aliases multiply this YAML file beyond reason",
    "A few lines of YAML aliases can stand for billions of values. Such files are refused.",
  ),

  // HG52xx: properties
  HG5201: error("`{property}` must be {expected}, but is {actual}", "The value has the wrong type."),
  HG5202: error(
    "`{property}` must be {expected}, but is {actual}",
    "The property takes one of a fixed list of values; case does not matter.",
  ),
  HG5203: error(
    "`{property}` {rule}",
    "The value has the right type but breaks a rule of the resource model.",
  ),
  HG5204: error("{noun} `{name}` has no `{property}`", "The property is required."),
  HG5205: warning(
    "{noun} has no property `{property}`",
    "Unknown properties are kept and returned, but have no effect. This one looks like a misspelling of a known one.",
  ),
  HG5206: warning(
    "`{property}` stands beside `properties` and is ignored",
    "In artifact files everything but the name belongs inside `properties`.",
  ),
  HG5207: error("`properties` is missing", 'Information files have the form `{ "properties": { … } }`.'),
  HG5208: warning(
    "revision {revision} has another `{property}` than the current revision; the current one's is used",
    "Path, display name, type, description, protocols, version and `subscriptionRequired` belong to the API as a whole.",
  ),

  // HG53xx: specifications
  HG5301: error(
    "this is not an OpenAPI or Swagger document: {reason}",
    "Supported are Swagger 2.0, OpenAPI 3.0 and 3.1.",
  ),
  HG5302: error(
    "the specification cannot be converted: {reason}",
    "Swagger 2.0 is converted to OpenAPI on import.",
  ),
  HG5303: error("`{ref}` leads nowhere", "A `$ref` must point at something inside the same document."),
  HG5304: error(
    "`{ref}` points outside this document",
    "Only references inside the document (`#/…`) are read; bundle the files first.",
  ),
  HG5305: error(
    "`{ref}` leads back to itself",
    "A `$ref` that only ever leads to another `$ref` never arrives.",
  ),
  HG5306: warning(
    "several operations need `{id}` as their name; `{name}` is used for this one",
    "Operation names must be unique within an API.",
  ),
  HG5307: warning("{reason}; skipped", "A part of the specification that cannot be imported; the rest is."),
  HG5308: warning(
    "`{file}` is not imported",
    "SOAP and WADL descriptions are not read; define the operations by `operations/{name}/operationInformation.json`.",
  ),
  HG5309: warning("the API has several specifications; `{file}` is used", "Keep one specification per API."),
  HG5310: warning(
    "query parameter `{name}` has the name of a path parameter; it stays out of the URL template",
    "A name can occur once in a URL template.",
  ),

  // HG54xx: overrides, tokens, secrets
  HG5401: warning(
    "no {noun} is called `{name}`, so this override has no effect",
    "Overrides are matched by resource name (the folder's), not by display name.",
  ),
  HG5402: warning(
    "unknown section `{name}`",
    "The overrides file has sections such as `apis`, `backends`, `namedValues`.",
  ),
  HG5403: error(
    "the token `{token}` has no value",
    "Give it with `--var NAME=VALUE` or as an environment variable.",
  ),
  HG5404: warning(
    "named value `{name}` is a secret without a value and is left out",
    "Artifacts never contain secrets. Set `HEADGATE_NAMED_VALUE_<NAME>` (or the same with `_FILE`), put a file of that name " +
      "into `HEADGATE_SECRETS_DIR`, say `valueFrom`, or give the value in the overrides file.",
  ),
  HG5405: error(
    "{what} comes from {source}, which {reason}",
    "`valueFrom` names an environment variable (`env`) or a file (`file`); it may have a `default`.",
  ),
  HG5406: error(
    "an entry has no `name`",
    "Every entry of the overrides file says which resource it changes.",
  ),
  HG5407: warning(
    "`{property}` cannot be overridden and keeps its value",
    "Revision numbers and the current revision are decided by the folder.",
  ),
  HG5408: warning(
    "the policy contains `*** REDACTED ***` in place of a secret",
    "The extractor removed a literal secret. Use a named value, `{{my-secret}}`.",
  ),
  HG5409: error("there is no overrides file `{path}`", "The file given for this environment does not exist."),
  HG5410: warning(
    "named values `{name}` and `{other}` read the same variable `{variable}`",
    "The variable's name is the display name in upper case, with `_` for everything but letters and digits.",
  ),

  HG5411: warning(
    "generated subscription keys cannot be kept: {reason}",
    "Keys that the folder does not hold are kept in the data folder. Until that can be written they change with every restart.",
  ),

  // HG56xx: layout
  HG5601: warning(
    "unknown file; it is ignored",
    "Its name is none of those the two artifact layouts use at this place.",
  ),
  HG5602: warning(
    "unknown folder; it is ignored",
    "Its name is none of those the two artifact layouts use at this place.",
  ),
  HG5603: error(
    "the folder has no `{file}`",
    "Every resource folder holds an information file that says what the resource is.",
  ),
  HG5604: error(
    "`{name}` is not a legal name: {rule}",
    "The folder's name is the resource's name and becomes part of its id.",
  ),
  HG5605: warning("`{file}` is used, this one is ignored", "Two files of this folder say the same thing."),
  HG5606: warning(
    "the folder `{name}` of this API type has no effect",
    "For example operations below a WebSocket API.",
  ),
} as const satisfies Record<string, Message>;

export type MessageCode = keyof typeof messages;

/** What to do, where whoever reports the problem knows nothing better. */
export const defaultHints: Readonly<Partial<Record<MessageCode, string>>> = {
  HG4501: "create it, or correct the name",
  HG4502: "create it, or correct the name",
  HG4503: "write a name, or an id such as `/apis/echo`",
  HG4504: "for example `/apis/{id}` or `/products/{id}`",
  HG4505: "name the members of that pool here instead",
  HG4506: "the folder has the name of the operation, which is its `operationId`",
  HG4507: "add it to the version set",
  HG4509: "list its members at `pool.services`",
  HG4510: "add `url`, such as `https://models.example.com/v1`",
  HG4601: "give one of them another path, or a version",
  HG4602: "remove one of the two, or change its template",
  HG4603: "give one of them another display name",
  HG4604: "remove one of the two",
  HG4605: "set `isCurrent` for one of them only",
  HG4606: "leave out one of the keys: a new one is made",
  HG4607: "keep it in one of them",
  HG4608: "remove one of the two",
  HG5101: "correct the text here",
  HG5102: "check indentation, quotes and brackets here",
  HG5106: 'a resource is `{ "properties": { … } }`',
  HG5107: "write the values out",
  HG5201: "write a value of that kind",
  HG5202: "take one of the list",
  HG5203: "correct the value",
  HG5204: "add it",
  HG5206: "move it into `properties`",
  HG5207: 'put the values into `"properties": { … }`',
  HG5301: "begin it with `openapi: 3.0.1`",
  HG5302: "correct the specification",
  HG5303: "define what it names, or correct the path",
  HG5304: "bundle the specification into one file",
  HG5305: "let one of them say what it is",
  HG5403: "give it with `--var NAME=VALUE`",
  HG5405: "set it, or add a `default`",
  HG5601: "remove it, or correct its name",
  HG5602: "remove it, or correct its name",
  HG5603: "add the file, or remove the folder",
  HG5604: "rename the folder",
  HG5605: "remove one of the two",
};

/** Makes a problem from the table, with the given hint or the default one. */
export function problem(
  code: MessageCode,
  parameters: Readonly<Record<string, string | number>>,
  location: SourceLocation | undefined,
  better?: string,
): Problem {
  const message: Message = messages[code];
  const hint = better ?? defaultHints[code];
  const text = message.text.replace(/\{(\w+)\}/g, (whole, name: string) =>
    name in parameters ? String(parameters[name]) : whole,
  );
  return {
    code,
    severity: message.severity,
    message: text,
    ...(location && { file: location.file }),
    ...(location?.range && { range: location.range }),
    ...(hint !== undefined && { hint }),
  };
}

/** The hint for a near miss, or nothing. */
export function didYouMean(candidate: string | null): string | undefined {
  return candidate === null ? undefined : `did you mean \`${candidate}\`?`;
}
