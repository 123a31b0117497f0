/** What the model itself finds wrong: the few things that only show when resources become a snapshot. */
import type { Problem } from "../base/problem.ts";
import type { PropertyPath } from "../store/kinds/shape.ts";
import type { ResourceSet } from "../store/resource-set.ts";

interface Message {
  readonly text: string;
  /** What to do, where the reporter knows nothing better. */
  readonly hint: string;
  readonly explain: string;
}

/** Codes HG55xx. `{name}` is replaced by the parameter of that name. */
export const modelMessages: Readonly<Record<string, Message>> = {
  HG5501: {
    text: "the URL of {what} is not an absolute http or https URL: `{url}`",
    hint: "write scheme and host, as in `https://models.example.com/v1`",
    explain:
      "A backend's `url` and an API's `serviceUrl` say where requests are sent: scheme, host, optional port and path, " +
      "such as `https://models.example.com/openai`. A named value in it is replaced first.",
  },
  HG5502: {
    text: "the URL template of operation `{operation}` of API `{api}` cannot be used: {reason}",
    hint: "correct `urlTemplate`",
    explain:
      "Templates are segments such as `/items/{id}`; `{*rest}` or `*` may stand only at the end, and two parameters in one " +
      "segment need a character between them.",
  },
  HG5503: {
    text: "the named value `{name}` does not exist",
    hint: "create it, or correct the name",
    explain:
      "`{{name}}` in a URL or credential is replaced by the named value whose display name it is; there is none.",
  },
  HG5504: {
    text: "the certificate `{name}` cannot be opened: {reason}",
    hint: "check `data` and `password`",
    explain:
      "`data` of a certificate is a PKCS#12 (PFX) file in base64 and `password` what it was protected with; both may be " +
      "named values. The password is often the culprit: an empty one is not the same as a missing one everywhere.",
  },
  HG5505: {
    text: "the connection string of cache `{cache}` cannot be used: {reason}",
    hint: "write it as `host:port,password=…,ssl=True`",
    explain:
      "A cache is a Redis or Valkey. Its `connectionString` has the form of StackExchange.Redis: `host:port` first, then " +
      "options such as `password=…`, `user=…`, `ssl=True`, `defaultDatabase=0`, separated by commas; or a `redis://` URL. It may be " +
      "a named value.",
  },
  HG5508: {
    text: "the proxy of backend `{backend}` is not the URL of an HTTP proxy: `{url}`",
    hint: "write `http://host:port`",
    explain:
      "`proxy.url` is where the proxy listens, without a path; the way to it is not encrypted, but requests to https backends pass " +
      "through it in a tunnel. `username` and `password` go along as Basic credentials.",
  },
  HG5506: {
    text: "the credentials of backend `{backend}` cannot be used: {reason}",
    hint: "correct `credentials`",
    explain:
      "Besides headers and query parameters a backend has at most one of `authorization`, `managedIdentity`, `awsSigV4` and " +
      "`googleServiceAccount`, because each becomes the Authorization header. `managedIdentity` takes `resource` and `clientId`; " +
      "`awsSigV4` takes `accessKeyId`, `secretAccessKey`, `sessionToken` (without them the environment's), `region` and `service` " +
      "(without them what an AWS host says); `googleServiceAccount` takes `key`, the JSON of a key file, and `scope`.",
  },
  HG5507: {
    text: "the credentials of logger `{logger}` cannot be used: {reason}",
    hint: "give `connectionString`, or `endpointAddress` and `name`",
    explain:
      "A logger of type azureEventHub needs `credentials` with the `connectionString` of a namespace or hub " +
      "(`Endpoint=sb://…;SharedAccessKeyName=…;SharedAccessKey=…`) and the hub's `name`, unless the string has an EntityPath; or, " +
      "for the gateway's own identity, `endpointAddress` (`myhubs.servicebus.windows.net`), `name` and, for a user-assigned " +
      "identity, `identityClientId`. One of type applicationInsights needs the `connectionString` of the resource, or its " +
      "`instrumentationKey`, and `identityClientId` where only identities may write. Of our own types, otlp needs an `endpoint` " +
      "and file a `path`. Each may be a named value.",
  },
  HG5530: {
    text: "the `aiFormat` of API `{api}` is not known: `{format}`",
    hint: "`headgate explain HG5530` lists them",
    explain:
      "`aiFormat` says what an API's requests to models look like where neither path nor body tell: openai-chat, openai-completions, " +
      "openai-responses, openai-embeddings, openai-images, openai-audio, openai-realtime, anthropic-messages, gemini, gemini-live, " +
      "bedrock-converse or bedrock-invoke. Without it the gateway looks at each request.",
  },
  HG5531: {
    text: "the guard of backend `{backend}` cannot be used: {reason}",
    hint: "correct `guard`",
    explain:
      "A backend whose `url` is `built-in:` is a guard of the gateway's own. Its `guard` may have `blocklists`, an object of lists of phrases " +
      "or `/patterns/` by name, and `detectors` with `personalData`, the kinds that count, and `promptInjection`, the score that is an attack. " +
      "Patterns must be linear on every text: no `*` and `+`, but `{0,20}` and `{1,20}`; no repeated groups, no back-references.",
  },
  HG5520: {
    text: "the credential connection `{connection}` cannot be used: {reason}",
    hint: "correct the grant in `oauth2.grantTypes` of the provider, or `parameters` of the connection",
    explain:
      "A connection (`authorizationProviders/{p}/authorizations/{a}`) takes `clientId`, `clientSecret`, `scopes`, `tokenUrl`, " +
      "`authorizationUrl`, `refreshUrl`, `resourceUri`, `tenantId` and `instanceName` from its own `parameters` or from the grant " +
      "of its provider. Known providers such as `aad` and `github` bring their URLs; for `oauth2` and `oauth2pkce` they must be given.",
  },
  HG5521: {
    text: 'credential provider `{provider}` has the unknown `identityProvider` "{name}"',
    hint: "use `oauth2` and give `authorizationUrl` and `tokenUrl`",
    explain:
      "`identityProvider` names a provider whose URLs are known (`aad`, `github`, `google`, `servicenow`, …), or is `oauth2` or, " +
      "with PKCE, `oauth2pkce` for any other.",
  },
};

export class Reporter {
  readonly problems: Problem[] = [];
  readonly #resources: ResourceSet;

  constructor(resources: ResourceSet) {
    this.#resources = resources;
  }

  error(
    code: string,
    values: Readonly<Record<string, string>>,
    resourceId: string,
    path: PropertyPath,
    better?: string,
  ): void {
    const location = this.#resources.locate(resourceId, path) ?? this.#resources.locate(resourceId);
    const { text, hint: usual } = modelMessages[code]!;
    const hint = better ?? usual;
    const message = text.replace(/\{(\w+)\}/g, (all, name: string) => values[name] ?? all);
    this.problems.push({
      code,
      severity: "error",
      message,
      file: location?.file,
      range: location?.range,
      hint,
    });
  }
}
