/**
 * The policy of the public lab `aws-bedrock`, which signs requests with Signature Version 4 in expressions: the same elements and
 * the same members of .NET, in our words. Keys are the named values that the lab's deployment makes.
 */
const hex = (bytes: string): string => `BitConverter.ToString(${bytes}).Replace("-", "").ToLowerInvariant()`;
const BODY = "context.Request.Body.As<string>(preserveContent: true)";
const SHA256 = "System.Security.Cryptography.SHA256.Create()";
const utf8 = (text: string): string => `System.Text.Encoding.UTF8.GetBytes(${text})`;
const AMZ_DATE = `((DateTime)context.Variables["now"]).ToString("yyyyMMddTHHmmssZ")`;

/** `result = HMAC-SHA256(key, text)` in its own block. */
const mac = (n: number, key: string, text: string, result: string): string => `
        using (var mac${n} = new System.Security.Cryptography.HMACSHA256(${key}))
        {
          ${result} = mac${n}.ComputeHash(${utf8(text)});
        }`;

const CONTENT_HASH = `@{
        var text = ${BODY};
        using (var digest = ${SHA256})
        {
          var octets = digest.ComputeHash(${utf8("text")});
          return ${hex("octets")};
        }
      }`;

const AUTHORIZATION = `@{
        var id = "{{accesskey}}";
        var secret = "{{secretkey}}";
        var region = "us-east-1";
        var service = "bedrock";

        var verb = context.Request.Method;
        var url = context.Request.Url;
        var host = url.Host;

        var halves = url.Path.Split(new[] { "model/" }, 2, StringSplitOptions.None);
        var tail = halves.Length > 1 ? halves[1] : "";
        var names = tail.Split(new[] { '/' }, 2);
        var model = System.Uri.EscapeDataString(names[0]);
        var action = names.Length > 1 ? names[1] : "";
        var canonicalPath = $"/model/{model}/{action}";

        var time = ${AMZ_DATE};
        var day = ((DateTime)context.Variables["now"]).ToString("yyyyMMdd");

        var text = ${BODY};
        string contentHash;
        using (var digest = ${SHA256})
        {
          var octets = digest.ComputeHash(${utf8("text")});
          contentHash = ${hex("octets")};
        }

        var query = context.Request.Url.Query;
        var canonicalQuery = "";
        if (query != null && query.Count > 0)
        {
          var pairs = new List<string>();
          foreach (var parameter in query)
          {
            var name = System.Uri.EscapeDataString(parameter.Key);
            var value = System.Uri.EscapeDataString(parameter.Value.First() ?? "");
            pairs.Add($"{name}={value}");
          }
          canonicalQuery = string.Join("&", pairs.OrderBy(pair => pair));
        }

        var headers = context.Request.Headers;
        var signed = new List<string[]>();
        var type = headers.GetValueOrDefault("Content-Type", "").ToLowerInvariant();
        if (!string.IsNullOrEmpty(type))
        {
          signed.Add(new[] { "content-type", type });
        }
        signed.Add(new[] { "host", host });
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
            signed.Add(new[] { name, value });
          }
        }
        signed.Add(new[] { "x-amz-content-sha256", contentHash });
        signed.Add(new[] { "x-amz-date", time });
        var ordered = signed.OrderBy(pair => pair[0]);
        var canonicalHeaders = string.Join("\\n", ordered.Select(pair => $"{pair[0]}:{pair[1].Trim()}")) + "\\n";
        var signedNames = string.Join(";", ordered.Select(pair => pair[0]));

        var request = $"{verb}\\n{canonicalPath}\\n{canonicalQuery}\\n{canonicalHeaders}\\n{signedNames}\\n{contentHash}";
        string requestHash = "";
        using (var digest = ${SHA256})
        {
          var octets = digest.ComputeHash(${utf8("request")});
          requestHash = ${hex("octets")};
        }

        var scope = $"{day}/{region}/{service}/aws4_request";
        var toSign = $"AWS4-HMAC-SHA256\\n{time}\\n{scope}\\n{requestHash}";

        byte[] secretKey = ${utf8(`"AWS4" + secret`)};
        byte[] dayKey, regionKey, serviceKey, signingKey;${mac(1, "secretKey", "day", "dayKey")}${mac(2, "dayKey", "region", "regionKey")}${mac(3, "regionKey", "service", "serviceKey")}${mac(4, "serviceKey", `"aws4_request"`, "signingKey")}

        string signature;
        using (var mac5 = new System.Security.Cryptography.HMACSHA256(signingKey))
        {
          var octets = mac5.ComputeHash(${utf8("toSign")});
          signature = ${hex("octets")};
        }
        return $"AWS4-HMAC-SHA256 Credential={id}/{scope}, SignedHeaders={signedNames}, Signature={signature}";
      }`;

const header = (name: string, value: string): string => `
    <set-header name="${name}" exists-action="override">
      <value>${value}</value>
    </set-header>`;

export const awsBedrock = (): string => `<policies>
  <inbound>
    <base />
    <set-variable name="now" value="@(DateTime.UtcNow)" />${header("X-Amz-Date", `@(${AMZ_DATE})`)}${header("X-Amz-Content-Sha256", CONTENT_HASH)}${header("Authorization", AUTHORIZATION)}${header("Host", "@(context.Request.Url.Host)")}
  </inbound>
  <backend><base /></backend>
  <outbound><base /></outbound>
  <on-error><base /></on-error>
</policies>`;
