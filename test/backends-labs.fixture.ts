/**
 * Policies under test: those of five public labs, element for element as their authors deploy them, without their comments.
 * `{backend-id}` is filled in by the labs' deployment.
 */

const section = (name: string, inner = "<base />"): string => `<${name}>${inner}</${name}>`;
const policies = (
  inbound: string,
  backend = "<base />",
  outbound = "<base />",
  onError = "<base />",
): string =>
  `<policies>${section("inbound", inbound)}${section("backend", backend)}${section("outbound", outbound)}${section("on-error", onError)}</policies>`;

/** In on-error: nothing of the pool's details gets out. */
const BARE_503 = `
  <base />
  <choose>
    <when condition="@(context.Response.StatusCode == 503)">
      <return-response>
        <set-status code="503" reason="Service Unavailable" />
      </return-response>
    </when>
  </choose>`;

const RETRY_CONDITION = "@(context.Response.StatusCode == 429 || context.Response.StatusCode == 503)";

const IDENTITY = `
  <authentication-managed-identity resource="https://cognitiveservices.azure.com" output-token-variable-name="managed-id-access-token" ignore-error="false" />
  <set-header name="Authorization" exists-action="override">
    <value>@("Bearer " + (string)context.Variables["managed-id-access-token"])</value>
  </set-header>`;

export const backendPoolLoadBalancing = (backendId: string): string =>
  policies(
    `<base /><set-backend-service backend-id="${backendId}" />`,
    `<retry count="2" interval="0" first-fast-retry="true" condition="${RETRY_CONDITION}">
      <set-backend-service backend-id="${backendId}" />
      <forward-request buffer-request-body="true" />
    </retry>`,
    "<base />",
    BARE_503,
  );

export const sessionAwareness = (backendId: string): string => {
  const requestId = `
    <set-header name="x-request-id" exists-action="override">
      <value>@(context.RequestId.ToString())</value>
    </set-header>`;
  return policies(
    `<base />${IDENTITY}<set-backend-service backend-id="${backendId}" />${requestId}`,
    "<base />",
    `<base />${requestId}
    <set-header name="x-backend-region" exists-action="override">
      <value>@(context.Response.Headers.GetValueOrDefault("x-ms-region", "unknown"))</value>
    </set-header>`,
  );
};

export const privateConnectivity = (backendId: string): string =>
  policies(
    `<base />${IDENTITY}<set-backend-service backend-id="${backendId}" />`,
    `<retry count="2" interval="0" first-fast-retry="true" condition="${RETRY_CONDITION}">
      <forward-request buffer-request-body="true" />
    </retry>`,
    "<base />",
    BARE_503,
  );

const REQUESTED = `((string)context.Variables["requestedModel"])`;

export const MODEL_ROUTING = policies(`
  <base />
  <set-variable name="deployment" value="@(context.Request.MatchedParameters.ContainsKey("deployment-id")
    ? context.Request.MatchedParameters["deployment-id"]
    : string.Empty)" />
  <set-variable name="reqBody" value="@(context.Request.Body?.As<JObject>(preserveContent:true)
    ?? new JObject())" />
  <set-variable name="model" value="@( ((JObject)context.Variables["reqBody"])
    .Property("model")?.Value?.ToString()
    ?? string.Empty)" />
  <set-variable name="requestedModel" value="@( !string.IsNullOrEmpty((string)context.Variables["deployment"])
    ? (string)context.Variables["deployment"]
    : (string)context.Variables["model"] )" />
  <choose>
    <when condition="@( ${REQUESTED} == "gpt-4.1")">
      <set-backend-service backend-id="foundry1" />
    </when>
    <when condition="@( ${REQUESTED} == "gpt-4.1-mini"
      || ${REQUESTED} == "gpt-4.1-nano")">
      <set-backend-service backend-id="foundry2" />
    </when>
    <when condition="@( ${REQUESTED} == "model-router"
      || ${REQUESTED} == "gpt-5"
      || ${REQUESTED} == "DeepSeek-R1")">
      <set-backend-service backend-id="foundry3" />
    </when>
    <when condition="@( ((string)context.Variables["requestedModel"] ?? string.Empty)
      .StartsWith("gpt-4o"))">
      <return-response>
        <set-status code="403" reason="Forbidden" />
        <set-body>@("{\\"error\\":\\"Model '" + (string)context.Variables["requestedModel"] + "' is not permitted.\\"}")</set-body>
      </return-response>
    </when>
    <otherwise>
      <return-response>
        <set-status code="400" reason="Bad Request" />
        <set-header name="Content-Type" exists-action="override">
          <value>application/json</value>
        </set-header>
        <set-body>{
          "error": "Invalid model or deployment-id. Supply a valid name in the URL or JSON body."
        }</set-body>
      </return-response>
    </otherwise>
  </choose>`);

const PAYLOAD_HASH = `
  using (var sha256 = System.Security.Cryptography.SHA256.Create())
  {
    var hash = sha256.ComputeHash(System.Text.Encoding.UTF8.GetBytes(body));
    {result} BitConverter.ToString(hash).Replace("-", "").ToLowerInvariant();
  }`;

/** Signature Version 4, worked out by the policy itself. */
export const AWS_BEDROCK = policies(`
  <base />
  <set-variable name="now" value="@(DateTime.UtcNow)" />
  <set-header name="X-Amz-Date" exists-action="override">
    <value>@(((DateTime)context.Variables["now"]).ToString("yyyyMMddTHHmmssZ"))</value>
  </set-header>
  <set-header name="X-Amz-Content-Sha256" exists-action="override">
    <value>@{
      var body = context.Request.Body.As<string>(preserveContent: true);
      ${PAYLOAD_HASH.replace("{result}", "return")}
    }</value>
  </set-header>
  <set-header name="Authorization" exists-action="override">
    <value>@{
      var accessKey = "{{accesskey}}";
      var secretKey = "{{secretkey}}";
      var region = "us-east-1";
      var service = "bedrock";

      var method = context.Request.Method;
      var uri = context.Request.Url;
      var host = uri.Host;

      var path = uri.Path;
      var modelSplit = path.Split(new[] { "model/" }, 2, StringSplitOptions.None);
      var afterModel = modelSplit.Length > 1 ? modelSplit[1] : "";
      var parts = afterModel.Split(new[] { '/' }, 2);
      var model = System.Uri.EscapeDataString(parts[0]);
      var remainder = parts.Length > 1 ? parts[1] : "";
      var canonicalPath = $"/model/{model}/{remainder}";

      var amzDate = ((DateTime)context.Variables["now"]).ToString("yyyyMMddTHHmmssZ");
      var dateStamp = ((DateTime)context.Variables["now"]).ToString("yyyyMMdd");

      var body = context.Request.Body.As<string>(preserveContent: true);
      string hashedPayload;
      ${PAYLOAD_HASH.replace("{result}", "hashedPayload =")}

      var queryDict = context.Request.Url.Query;
      var canonicalQueryString = "";
      if (queryDict != null && queryDict.Count > 0)
      {
        var encodedParams = new List<string>();
        foreach (var kvp in queryDict)
        {
          var encodedKey = System.Uri.EscapeDataString(kvp.Key);
          var encodedValue = System.Uri.EscapeDataString(kvp.Value.First() ?? "");
          encodedParams.Add($"{encodedKey}={encodedValue}");
        }
        canonicalQueryString = string.Join("&", encodedParams.OrderBy(p => p));
      }

      var headers = context.Request.Headers;
      var canonicalHeaderList = new List<string[]>();
      var contentType = headers.GetValueOrDefault("Content-Type", "").ToLowerInvariant();
      if (!string.IsNullOrEmpty(contentType))
      {
        canonicalHeaderList.Add(new[] { "content-type", contentType });
      }
      canonicalHeaderList.Add(new[] { "host", host });
      foreach (var header in headers)
      {
        var name = header.Key.ToLowerInvariant();
        if (string.Equals(name, "x-amz-content-sha256", StringComparison.OrdinalIgnoreCase) ||
          string.Equals(name, "x-amz-date", StringComparison.OrdinalIgnoreCase))
        {
          continue;
        }
        if (name.StartsWith("x-amz-"))
        {
          var value = header.Value.First()?.Trim();
          canonicalHeaderList.Add(new[] { name, value });
        }
      }
      canonicalHeaderList.Add(new[] { "x-amz-content-sha256", hashedPayload });
      canonicalHeaderList.Add(new[] { "x-amz-date", amzDate });
      var canonicalHeadersOrdered = canonicalHeaderList.OrderBy(h => h[0]);
      var canonicalHeaders = string.Join("\\n", canonicalHeadersOrdered.Select(h => $"{h[0]}:{h[1].Trim()}")) + "\\n";
      var signedHeaders = string.Join(";", canonicalHeadersOrdered.Select(h => h[0]));

      var canonicalRequest = $"{method}\\n{canonicalPath}\\n{canonicalQueryString}\\n{canonicalHeaders}\\n{signedHeaders}\\n{hashedPayload}";
      string hashedCanonicalRequest = "";
      using (var sha256 = System.Security.Cryptography.SHA256.Create())
      {
        var hash = sha256.ComputeHash(System.Text.Encoding.UTF8.GetBytes(canonicalRequest));
        hashedCanonicalRequest = BitConverter.ToString(hash).Replace("-", "").ToLowerInvariant();
      }

      var credentialScope = $"{dateStamp}/{region}/{service}/aws4_request";
      var stringToSign = $"AWS4-HMAC-SHA256\\n{amzDate}\\n{credentialScope}\\n{hashedCanonicalRequest}";

      byte[] kSecret = System.Text.Encoding.UTF8.GetBytes("AWS4" + secretKey);
      byte[] kDate, kRegion, kService, kSigning;
      using (var h1 = new System.Security.Cryptography.HMACSHA256(kSecret))
      {
        kDate = h1.ComputeHash(System.Text.Encoding.UTF8.GetBytes(dateStamp));
      }
      using (var h2 = new System.Security.Cryptography.HMACSHA256(kDate))
      {
        kRegion = h2.ComputeHash(System.Text.Encoding.UTF8.GetBytes(region));
      }
      using (var h3 = new System.Security.Cryptography.HMACSHA256(kRegion))
      {
        kService = h3.ComputeHash(System.Text.Encoding.UTF8.GetBytes(service));
      }
      using (var h4 = new System.Security.Cryptography.HMACSHA256(kService))
      {
        kSigning = h4.ComputeHash(System.Text.Encoding.UTF8.GetBytes("aws4_request"));
      }

      string signature;
      using (var hmac = new System.Security.Cryptography.HMACSHA256(kSigning))
      {
        var sigBytes = hmac.ComputeHash(System.Text.Encoding.UTF8.GetBytes(stringToSign));
        signature = BitConverter.ToString(sigBytes).Replace("-", "").ToLowerInvariant();
      }

      return $"AWS4-HMAC-SHA256 Credential={accessKey}/{credentialScope}, SignedHeaders={signedHeaders}, Signature={signature}";
    }</value>
  </set-header>
  <set-header name="Host" exists-action="override">
    <value>@(context.Request.Url.Host)</value>
  </set-header>`);
