/**
 * Every message that the compiler can give, in one table, and the diagnostic that carries it.
 *
 * To add a message, add one entry to `messages`: the code is its name for ever (never reuse a number), `text` and `hint`
 * may hold `{placeholders}` that are filled when it is reported, and `explain` is what `headgate explain HG####` prints.
 * The ranges: 1xxx document text, 2xxx elements, attributes, values and sections, 3xxx expressions, 4xxx references,
 * 5xxx configuration files, 6xxx warnings.
 *
 * Diagnostics are values: nothing here throws, and all mistakes of a document are reported, not the first.
 */
import type { Problem, Severity } from "../base/problem.ts";
import { BINDER_MESSAGES } from "./csharp/binder-messages.ts";
import { SYNTAX_PAGES } from "./csharp/parser-messages.ts";
import type { Range, SourceText } from "./source.ts";
import { suggest } from "../base/suggest.ts";

export type { Severity };

/** What a page of `headgate explain` says. */
export interface Explanation {
  /** What the compiler found, and why it is a mistake. */
  readonly cause: string;
  readonly expected: string;
  readonly mend: string;
  readonly example: string;
}

export interface Message {
  readonly severity: Severity;
  /** One sentence, no full stop. */
  readonly text: string;
  /** What to do about it, in a few words; shown beside the place. A reporter may give a better one. */
  readonly hint?: string;
  readonly explain: Explanation;
}

/** A problem in the text of a policy document; always with a place. */
export interface Diagnostic extends Problem {
  readonly range: Range;
  readonly notes?: readonly string[];
  /** The policy element that the mistake is in, for the REST texts of `policies-document.md` §5. */
  readonly element?: string;
}

/** Values for the placeholders of a message. */
export type MessageValues = Readonly<Record<string, string | number>>;

export interface DiagnosticExtras {
  readonly hint?: string;
  readonly notes?: readonly string[];
  readonly element?: string;
  /** A loose check (`validate --policy FILE`) turns unknown references into warnings. */
  readonly severity?: Severity;
}

const messageTable = {
  // ── 1xxx: the text of a document ──────────────────────────────────────────────────────────────────────────────────
  HG1001: {
    severity: "error",
    text: "this document is {size} bytes long; the most is {limit}",
    hint: "move parts of it into policy fragments",
    explain: {
      cause: "Policy documents and fragments may have at most 512 KiB, as in Azure API Management.",
      expected: "A document of 524,288 bytes or less, in UTF-8.",
      mend: "Move parts into policy fragments, or data out of the policy into a named value, a blob or a cache.",
      example: '<include-fragment fragment-id="routing-table" />',
    },
  },
  HG1002: {
    severity: "error",
    text: "this document has no element",
    hint: "start with `<policies>` (or `<fragment>` for a policy fragment)",
    explain: {
      cause: "The document is empty, or holds only comments or text.",
      expected: "A root element: `policies`, or `fragment` for a policy fragment.",
      mend: "Write the four sections; `<base />` inherits what the broader scopes say.",
      example:
        "<policies><inbound><base /></inbound><backend><base /></backend>" +
        "<outbound><base /></outbound><on-error><base /></on-error></policies>",
    },
  },
  HG1003: {
    severity: "error",
    text: "the tag <{element}> is not finished: `>` is missing",
    hint: "end the tag with `>` or `/>`",
    explain: {
      cause: "A tag was opened with `<`, but before its `>` came another `<` or the end of the document.",
      expected: "`>` or `/>` after the last attribute.",
      mend: "Add the missing `>`; if the element has no content, `/>`.",
      example: '<set-backend-service backend-id="pool" />',
    },
  },
  HG1004: {
    severity: "error",
    text: "<{element}> is never closed",
    hint: "add `</{element}>`",
    explain: {
      cause:
        "The element was opened, but the document or the element around it ended before its closing tag.",
      expected: "A closing tag of the same name, or `/>` instead of `>` in the opening tag.",
      mend: "Add the closing tag where the content of the element ends.",
      example: '<set-header name="x"><value>1</value></set-header>',
    },
  },
  HG1005: {
    severity: "error",
    text: "</{element}> closes nothing: no <{element}> is open here",
    hint: "remove it, or add the opening tag",
    explain: {
      cause: "A closing tag without an opening one. Often the opening tag already ended with `/>`.",
      expected: "Each closing tag belongs to the nearest open element of that name.",
      mend: "Remove the closing tag, or turn the `/>` of the opening tag into `>`.",
      example: "<inbound><base /></inbound>",
    },
  },
  HG1006: {
    severity: "error",
    text: "</{found}> closes <{element}>: the names differ",
    hint: "write `</{element}>`",
    explain: {
      cause: "The closing tag has another name than the element that it closes. Names are case-sensitive.",
      expected: "The same name in both tags.",
      mend: "Correct the name in whichever of the two is wrong.",
      example: "<set-body>text</set-body>",
    },
  },
  HG1007: {
    severity: "error",
    text: "the value of attribute `{attribute}` is never closed",
    hint: "add the closing quote",
    explain: {
      cause: "The quote that opens the value has no partner before the tag ends.",
      expected: "The same quote character, `\"` or `'`, on both sides of the value.",
      mend: "Add the missing quote after the value.",
      example: '<set-header name="x-model" exists-action="override" />',
    },
  },
  HG1008: {
    severity: "error",
    text: "white space is missing before `{attribute}`",
    hint: "put a space between two attributes",
    explain: {
      cause:
        "An attribute follows the closing quote of the one before without a space. A quote too many looks the same.",
      expected: "At least one space or line break between two attributes.",
      mend: "Insert a space, or remove the extra quote.",
      example: '<set-header name="x" exists-action="append" />',
    },
  },
  HG1009: {
    severity: "error",
    text: "attribute `{attribute}` has no value",
    hint: 'write `{attribute}="…"`',
    explain: {
      cause: "An attribute name stands alone. Unlike HTML, XML has no attributes without a value.",
      expected: '`name="value"`.',
      mend: "Add `=` and a quoted value.",
      example: '<send-request mode="new" ignore-error="true" />',
    },
  },
  HG1010: {
    severity: "error",
    text: "the value of attribute `{attribute}` has no quotes",
    hint: 'write `{attribute}="{value}"`',
    explain: {
      cause: "The value after `=` does not begin with a quote.",
      expected: "A value between `\"` or `'`.",
      mend: "Put quotes around the value.",
      example: '<rate-limit calls="10" renewal-period="60" />',
    },
  },
  HG1011: {
    severity: "error",
    text: "attribute `{attribute}` stands twice in <{element}>",
    hint: "keep one of the two",
    explain: {
      cause: "An element may have each attribute once only.",
      expected: "Different names for all attributes of an element.",
      mend: "Remove one of the two.",
      example: '<set-variable name="a" value="1" />',
    },
  },
  HG1012: {
    severity: "error",
    text: "`<` begins no tag here",
    hint: "write `&lt;` for a literal `<`",
    explain: {
      cause: "In text and in literal values `<` begins a tag, and no element name follows it.",
      expected: "A tag, or `&lt;`. Inside `@( … )` and `@{ … }` a bare `<` is fine.",
      mend: "Write `&lt;`, or put the text in a CDATA section or an expression.",
      example: "<value>a &lt; b</value>",
    },
  },
  HG1013: {
    severity: "error",
    text: "`&` begins no entity here",
    hint: "write `&amp;` for a literal `&`",
    explain: {
      cause: "In text and in literal values `&` begins an entity such as `&amp;`, which ends with `;`.",
      expected: "`&amp;` for the character itself. Inside `@( … )` and `@{ … }` a bare `&` is fine.",
      mend: "Write `&amp;`; in URLs between query parameters too.",
      example: "<set-url>https://example.org/?a=1&amp;b=2</set-url>",
    },
  },
  HG1014: {
    severity: "error",
    text: "`{entity}` is not a known entity",
    hint: "XML has `&lt;`, `&gt;`, `&amp;`, `&quot;`, `&apos;` and numbers such as `&#8211;`",
    explain: {
      cause:
        "Only the five entities of XML and character numbers exist; entities of HTML such as `&nbsp;` do not.",
      expected: "`&lt; &gt; &amp; &quot; &apos;`, `&#160;` or `&#xA0;`, for a character that XML allows.",
      mend: "Write the character itself, or its number.",
      example: "<value>a&#160;b</value>",
    },
  },
  HG1015: {
    severity: "error",
    text: "document type and entity declarations are not accepted",
    hint: "remove the `<!DOCTYPE …>`",
    explain: {
      cause: "Declarations can make a small document expand to gigabytes or read files, so none are read.",
      expected: "A document that begins with its root element.",
      mend: "Remove the declaration; for reusable text use named values and fragments.",
      example: "<policies> … </policies>",
    },
  },
  HG1016: {
    severity: "error",
    text: "elements are nested more than {limit} deep",
    hint: "move inner parts into a policy fragment",
    explain: {
      cause: "Nesting is limited to 64 elements, so that no document can exhaust the stack.",
      expected: "At most 64 open elements at any place.",
      mend: "Flatten `choose` elements (several `when` instead of `otherwise` with another `choose`), or use a fragment.",
      example: '<choose><when condition="…" /><when condition="…" /><otherwise /></choose>',
    },
  },
  HG1017: {
    severity: "error",
    text: "this expression is never closed: `{open}` has no matching `{close}`",
    hint: "add the missing `{close}`",
    explain: {
      cause: "The expression runs to the end of its value without the bracket that closes it.",
      expected: "As many closing brackets as opening ones, outside of strings and comments.",
      mend: "Count the brackets, or let an editor match them. A quote too many can also swallow a bracket.",
      example: '<when condition="@(context.Request.Method == "GET")">',
    },
  },
  HG1018: {
    severity: "error",
    text: "this {what} in an expression is never closed",
    hint: "add the closing quote",
    explain: {
      cause: 'A C# string in `"…"` ends on the line where it begins, and this one does not.',
      expected:
        'A closing quote on the same line; `@"…"` for strings of several lines; `\\"` for a quote inside.',
      mend: "Add the closing quote, or escape the quote that ended the string too early.",
      example: '@("a \\"quoted\\" word")',
    },
  },
  HG1019: {
    severity: "error",
    text: "this comment in an expression is never closed",
    hint: "add `*/`",
    explain: {
      cause: "A C# comment that begins with `/*` ends with `*/`.",
      expected: "`*/` before the end of the expression.",
      mend: "Close the comment.",
      example: "@(1 /* one */ + 1)",
    },
  },
  HG1020: {
    severity: "error",
    text: "`{found}` after the end of the expression",
    hint: "remove it, or open the bracket that it closes",
    explain: {
      cause: "The bracket of `@(` or `@{` was closed earlier, and another closing bracket follows.",
      expected: "Only white space between the end of an expression and the end of the value.",
      mend: "Remove the bracket, or add its partner inside the expression.",
      example: '<set-variable name="n" value="@((1 + 2) * 3)" />',
    },
  },
  HG1021: {
    severity: "error",
    text: "an XML comment inside an expression is not C#",
    hint: "use `/* … */` or `// …` inside expressions",
    explain: {
      cause: "Between the brackets of an expression stands C#, where `<!--` begins no comment.",
      expected: "C# comments.",
      mend: "Turn the comment into `/* … */`, or move it before the element.",
      example: "@{ /* why */ return 1; }",
    },
  },
  HG1022: {
    severity: "error",
    text: "this comment is never closed",
    hint: "add `-->`",
    explain: {
      cause: "A comment that begins with `<!--` ends with `-->`, and none follows.",
      expected: "`-->` after the comment's text.",
      mend: "Close the comment.",
      example: "<!-- why this is here -->",
    },
  },
  HG1023: {
    severity: "error",
    text: "this CDATA section is never closed",
    hint: "add `]]>`",
    explain: {
      cause: "A section that begins with `<![CDATA[` ends with `]]>`, and none follows.",
      expected: "`]]>` after the text.",
      mend: "Close the section.",
      example: '<set-body><![CDATA[{ "a": 1 }]]></set-body>',
    },
  },
  HG1024: {
    severity: "error",
    text: "this processing instruction is never closed",
    hint: "add `?>`",
    explain: {
      cause: "`<?` begins an XML declaration or a processing instruction, which ends with `?>`.",
      expected: "`?>`.",
      mend: "Close it, or remove it: policy documents need none.",
      example: '<?xml version="1.0" encoding="utf-8"?>',
    },
  },
  HG1025: {
    severity: "error",
    text: "`{found}` has no place in the tag <{element}>",
    hint: 'only attributes (`name="value"`) may stand here',
    explain: {
      cause: "Between the element's name and the end of its tag stands something that is no attribute.",
      expected: 'Attributes, each `name="value"`, then `>` or `/>`.',
      mend: "Remove it; often it is a quote or a comma too many.",
      example: '<cors allow-credentials="true">',
    },
  },
  HG1026: {
    severity: "error",
    text: "a document has one root element; <{element}> is a second one",
    hint: "move it into the first, or into a document of its own",
    explain: {
      cause: "After the end of the root element another element begins.",
      expected: "One `policies` or one `fragment` element around everything.",
      mend: "Put a root element around the whole, or move the closing tag of the first to the end.",
      example: "<policies><inbound /> <backend /> <outbound /> <on-error /></policies>",
    },
  },
  HG1027: {
    severity: "error",
    text: "text outside of the root element",
    hint: "remove it, or make it a comment: `<!-- … -->`",
    explain: {
      cause: "Before or after the root element only comments and white space may stand.",
      expected: "Nothing but the root element.",
      mend: "Remove the text, or turn it into a comment.",
      example: "<!-- Owner: platform team -->\n<policies> … </policies>",
    },
  },
  HG1028: {
    severity: "error",
    text: "the character {character} is not allowed in XML",
    hint: "remove it",
    explain: {
      cause: "XML allows no control characters but tab, line feed and carriage return.",
      expected: "Printable characters. Files must be UTF-8; UTF-16 read as UTF-8 is full of U+0000.",
      mend: "Remove the character, or save the file as UTF-8.",
      example: "<value>plain text</value>",
    },
  },
  HG1029: {
    severity: "error",
    text: "more than {limit} mistakes; the rest is not shown",
    hint: "mend those above first",
    explain: {
      cause: "So many mistakes usually come from one, or from a file that is no policy document.",
      expected: "A policy document.",
      mend: "Mend the first mistakes and check again.",
      example: "headgate validate --policy policy.xml",
    },
  },
  HG1030: {
    severity: "error",
    text: "a typographic quote ({quote}) where a plain one belongs",
    hint: 'write `"`',
    explain: {
      cause:
        "Word processors and chat programs turn straight quotes into curly ones; XML and C# know straight ones only.",
      expected: "`\"` or `'`.",
      mend: "Replace the curly quotes by straight ones.",
      example: '<set-header name="x" exists-action="override">',
    },
  },
  HG1031: {
    severity: "error",
    text: "a bare `<` in the value of attribute `{attribute}`",
    hint: "write `&lt;`, or close the value before it",
    explain: {
      cause: "In literal attribute values `<` is not allowed. Often the closing quote is missing.",
      expected: "`&lt;`; inside `@( … )` and `@{ … }` a bare `<` is fine.",
      mend: "Write `&lt;`, or add the missing quote.",
      example: '<when condition="@(context.Response.StatusCode < 300)">',
    },
  },
  HG1032: {
    severity: "error",
    text: "a bare `{quote}` inside the value of attribute `{attribute}`",
    hint: "make the whole value one expression: `@(…)`",
    explain: {
      cause:
        "Quotes may stand bare only inside an expression, and an expression is the whole value. " +
        "Text mixed with `@( … )` is a literal, so its first quote ends the value.",
      expected: "One expression as the whole value, or `&quot;` for a literal quote.",
      mend: "Join text and expression inside the brackets.",
      example: '<value>@("Bearer " + (string)context.Variables["token"])</value>',
    },
  },
  HG1033: {
    severity: "error",
    text: "the closing tag </{element}> holds more than its name",
    hint: "write `</{element}>`",
    explain: {
      cause: "A closing tag has a name and nothing else.",
      expected: "`</name>`.",
      mend: "Remove the rest, or the slash if it should be an opening tag.",
      example: "</set-header>",
    },
  },
  HG1034: {
    severity: "error",
    text: "too much of this document cannot be read; checking stops here",
    hint: "mend the mistakes above first",
    explain: {
      cause: "So many expressions, strings or values are left open that what follows cannot be told apart.",
      expected: "A policy document.",
      mend: "Mend the first mistakes and check again.",
      example: "headgate validate --policy policy.xml",
    },
  },
  HG1035: {
    severity: "error",
    text: "<{element}> has more than {limit} attributes",
    hint: "remove those that do not belong to it",
    explain: {
      cause: "No policy has that many attributes; the rest of them is not looked at.",
      expected: "At most 128 attributes in one element.",
      mend: "Remove the surplus.",
      example: '<cors allow-credentials="true" />',
    },
  },

  HG1036: {
    severity: "error",
    text: "`{found}` stands where `=` belongs, behind attribute `{attribute}`",
    hint: 'write `{attribute}="…"`',
    explain: {
      cause: "Attributes of XML are written with `=`; `:` is JSON or YAML, `=>` and `==` are C#.",
      expected: '`name="value"`.',
      mend: "Write `=`.",
      example: '<set-header name="x-model" exists-action="override" />',
    },
  },
  HG1037: {
    severity: "error",
    text: "this `{` in an interpolated string is never closed",
    hint: "add `}` behind the value; a literal brace is written `{{`",
    explain: {
      cause:
        'In `$"…"` a `{` begins a piece of code, which ends at its `}`; here the string ends, or the line does, before one comes.',
      expected: "`{value}` inside the string.",
      mend: "Add the `}`, or double the brace if the character itself is meant.",
      example: '@($"id {context.RequestId}")',
    },
  },

  // ── 2xxx: elements, attributes, values, sections ──────────────────────────────────────────────────────────────────
  HG2101: {
    severity: "error",
    text: "<{element}> is not a policy",
    hint: "see `headgate explain HG2101`",
    explain: {
      cause: "No policy has this name. Names are lower case with hyphens and case-sensitive.",
      expected: "The element name of a policy, or `base`.",
      mend: "Correct the name; `headgate explain` and the reference list all policies.",
      example: '<set-header name="x" exists-action="override"><value>1</value></set-header>',
    },
  },
  HG2102: {
    severity: "error",
    text: "policy not built yet: <{element}>",
    hint: "remove it, or wait for a version that has it",
    explain: {
      cause: "Azure API Management has this policy, Headgate does not have it yet.",
      expected: "A policy that this version knows.",
      mend: "Remove the element, or put an equivalent in its place.",
      example: "<!-- invoke-request: not needed here -->",
    },
  },
  HG2103: {
    severity: "error",
    text: "<{parent}> has no child element <{element}>",
    hint: "allowed here: {allowed}",
    explain: {
      cause: "The element stands inside one that does not know it.",
      expected: "One of the child elements listed in the message, or in the reference of the policy.",
      mend: "Correct the name, or move the element to where it belongs.",
      example: '<set-header name="x"><value>1</value></set-header>',
    },
  },
  HG2104: {
    severity: "error",
    text: "<{element}> belongs inside {parents}, not here",
    hint: "move it into {parents}",
    explain: {
      cause: "The element is a part of another policy and no policy itself.",
      expected: "The element as a child of its policy.",
      mend: "Put the policy around it.",
      example: '<choose><when condition="@(true)"> … </when></choose>',
    },
  },
  HG2105: {
    severity: "error",
    text: "<{element}> needs {count} <{child}> inside",
    hint: "add `<{child}>`",
    explain: {
      cause: "The policy does nothing without this child element.",
      expected: "At least as many as the message says.",
      mend: "Add the child element.",
      example: '<choose><when condition="@(true)"> … </when></choose>',
    },
  },
  HG2106: {
    severity: "error",
    text: "<{parent}> may hold {count} <{element}>; this is one too many",
    hint: "remove it",
    explain: {
      cause: "The child element may stand there only so often.",
      expected: "At most as many as the message says.",
      mend: "Remove the surplus, or use the policy a second time.",
      example: '<choose><when condition="@(true)" /><otherwise /></choose>',
    },
  },
  HG2107: {
    severity: "error",
    text: "<{element}> has no attribute `{attribute}`",
    hint: "remove it",
    explain: {
      cause: "The element does not know this attribute, so it would have no effect.",
      expected: "One of the attributes listed in the message. `id` is allowed on every policy.",
      mend: "Correct the name (lower case with hyphens) or remove the attribute.",
      example: '<llm-token-limit tokens-per-minute="5000" counter-key="@(context.Subscription.Id)" />',
    },
  },
  HG2108: {
    severity: "error",
    text: "<{element}> needs the attribute `{attribute}`",
    hint: 'add `{attribute}="…"`',
    explain: {
      cause: "The element cannot work without this attribute.",
      expected: "The attribute, with a value.",
      mend: "Add it.",
      example: '<set-variable name="model" value="@(…)" />',
    },
  },
  HG2109: {
    severity: "error",
    text: "{what} takes {expected}, not `{value}`",
    hint: "write {expected}",
    explain: {
      cause: "The literal cannot be read as the type that is needed here.",
      expected: "`true` or `false` for a bool; digits for a whole number; digits with a point for a number.",
      mend: "Correct the literal, or use an expression if the value depends on the request.",
      example: '<retry condition="@(true)" count="3" interval="1" />',
    },
  },
  HG2110: {
    severity: "error",
    text: "{what} cannot be `{value}`",
    hint: "one of: {allowed}",
    explain: {
      cause: "The value is one of a fixed list, compared without case.",
      expected: "One of the values that the message lists.",
      mend: "Correct the value.",
      example: '<set-header name="x" exists-action="override">',
    },
  },
  HG2111: {
    severity: "error",
    text: "{what} must be {bounds}, not {value}",
    hint: "choose a number that is {bounds}",
    explain: {
      cause: "The number lies outside of the range that the policy accepts.",
      expected: "A number within the bounds of the message.",
      mend: "Correct the number.",
      example: '<retry condition="@(true)" count="50" interval="1" />',
    },
  },
  HG2112: {
    severity: "error",
    text: "{what} is empty",
    hint: "write a value",
    explain: {
      cause: "A value is needed here and there is none between the quotes or tags.",
      expected: "A literal or an expression.",
      mend: "Write the value, or remove the attribute if it is optional.",
      example: "<set-method>POST</set-method>",
    },
  },
  HG2113: {
    severity: "error",
    text: "{what} cannot be an expression",
    hint: "write a literal value; a named value such as `{{name}}` is fine too",
    explain: {
      cause: "This value is needed when the document is saved, before there is a request.",
      expected: "A literal, or a named value `{{name}}` that holds one.",
      mend: "Write a literal; to choose by request, put two policies into a `choose`.",
      example: '<include-fragment fragment-id="common" />',
    },
  },
  HG2114: {
    severity: "error",
    text: "<{element}> takes no content",
    hint: "remove what stands between its tags",
    explain: {
      cause: "The element says everything in its attributes.",
      expected: "`<name … />`.",
      mend: "Remove the content, or move it to where it belongs.",
      example: "<base />",
    },
  },
  HG2115: {
    severity: "error",
    text: "<{element}> is not allowed in <{section}>",
    hint: "move it to: {allowed}",
    explain: {
      cause:
        "Each policy works in certain sections only; a request policy has no use in outbound, for example.",
      expected:
        "One of the sections that the message lists. Policies inside `choose`, `retry` … count as in that section.",
      mend: "Move the policy to another section.",
      example: '<inbound><base /><rewrite-uri template="/v2" /></inbound>',
    },
  },
  HG2116: {
    severity: "error",
    text: "<{element}> is not allowed in a document of scope {scope}",
    hint: "move it to a document of scope: {allowed}",
    explain: {
      cause: "Some policies work at certain scopes only, `quota` for instance in product documents.",
      expected: "One of the scopes that the message lists.",
      mend: "Move the policy to a document of such a scope.",
      example: "<policies> … </policies>",
    },
  },
  HG2117: {
    severity: "error",
    text: "<{element}> may stand only once per {unit}",
    hint: "remove one; the first is on line {line}",
    explain: {
      cause:
        "The policy counts or decides for the whole request, so a second one would contradict the first.",
      expected: "One of them.",
      mend: "Remove one, or use the policy that may repeat (`rate-limit-by-key` for `rate-limit`).",
      example: '<rate-limit calls="10" renewal-period="60" />',
    },
  },
  HG2118: {
    severity: "error",
    text: "<{element}> cannot contain text",
    hint: "expected: {allowed}",
    explain: {
      cause: "Only elements may stand here, and there is text between them.",
      expected: "The elements that the message lists, comments and white space.",
      mend: "Put the text into the right element, or remove it.",
      example: '<set-header name="x"><value>text</value></set-header>',
    },
  },
  HG2119: {
    severity: "error",
    text: "<{element}> needs text inside",
    hint: "write a literal or an expression between its tags",
    explain: {
      cause: "The element's text is its value, and there is none.",
      expected: "A literal or one expression as text.",
      mend: "Write the value between the tags.",
      example: "<set-method>POST</set-method>",
    },
  },
  HG2120: {
    severity: "error",
    text: "<{element}> takes text, not elements",
    hint: "write `&lt;{child}&gt;` if it is meant as text",
    explain: {
      cause: "The element's content is a plain value, and an element stands in it.",
      expected: "Text or one expression.",
      mend: "Remove the inner element, or escape it.",
      example: "<value>text</value>",
    },
  },
  HG2121: {
    severity: "error",
    text: "<otherwise> must be the last element of <choose>",
    hint: "move it behind the last <when>",
    explain: {
      cause: "`otherwise` runs when no `when` did, so nothing may follow it.",
      expected: "`when` elements first, then at most one `otherwise`.",
      mend: "Move it to the end.",
      example: '<choose><when condition="@(true)" /><otherwise /></choose>',
    },
  },
  HG2122: {
    severity: "error",
    text: "<base /> must stand directly in a section",
    hint: "move it out of <{parent}>",
    explain: {
      cause: "`base` stands for the broader scopes' section as a whole and cannot depend on a condition.",
      expected: "`base` as a child of inbound, backend, outbound or on-error.",
      mend: "Move it out, before or after the policy that it stands in.",
      example: "<inbound><base /><choose> … </choose></inbound>",
    },
  },
  HG2123: {
    severity: "error",
    text: "<base /> may stand only once in <{section}>",
    hint: "remove one of the two",
    explain: {
      cause: "A second `base` would run everything inherited twice.",
      expected: "One `base` in each section, or none.",
      mend: "Remove one.",
      example: "<inbound><base /></inbound>",
    },
  },
  HG2124: {
    severity: "error",
    text: "<base /> is not allowed in a policy fragment",
    hint: "remove it; the including document says where `base` stands",
    explain: {
      cause: "A fragment has no scope of its own, so there is nothing it could inherit.",
      expected: "Policies only.",
      mend: "Remove it.",
      example: '<fragment><set-variable name="a" value="1" /></fragment>',
    },
  },
  HG2125: {
    severity: "error",
    text: "the root element must be <{expected}>, not <{element}>",
    hint: "put `<{expected}>` around it",
    explain: {
      cause: "A policy document's root is `policies`, a policy fragment's root is `fragment`.",
      expected: "The root that fits what the document is.",
      mend: "Put the right element around the whole, with sections inside `policies`, without in `fragment`.",
      example: "<policies><inbound><base /> … </inbound> … </policies>",
    },
  },
  HG2126: {
    severity: "error",
    text: "<{element}> must stand inside a section",
    hint: "put it into <inbound>, <backend>, <outbound> or <on-error>",
    explain: {
      cause: "Directly inside `policies` only the four sections may stand.",
      expected: "`inbound`, `backend`, `outbound`, `on-error`, each at most once.",
      mend: "Move the policy into the section in which it should run.",
      example: '<policies><inbound><set-variable name="a" value="1" /></inbound></policies>',
    },
  },
  HG2127: {
    severity: "error",
    text: "the section <{section}> stands twice",
    hint: "join it with the one on line {line}",
    explain: {
      cause: "Each section may stand once.",
      expected: "`inbound`, `backend`, `outbound`, `on-error`, each at most once.",
      mend: "Move the content of one into the other.",
      example: "<policies><inbound> … </inbound></policies>",
    },
  },
  HG2128: {
    severity: "error",
    text: "<{element}> is not a section",
    hint: "the sections are inbound, backend, outbound and on-error",
    explain: {
      cause: "Directly inside `policies` only the four sections may stand.",
      expected: "`inbound`, `backend`, `outbound`, `on-error`.",
      mend: "Correct the name.",
      example: "<on-error><base /></on-error>",
    },
  },
  HG2129: {
    severity: "error",
    text: "a policy fragment has no sections; <{section}> is one",
    hint: "put the policies directly into <fragment>",
    explain: {
      cause: "A fragment is inserted where it is included, in the section of that place.",
      expected: "Policies directly inside `fragment`.",
      mend: "Remove the section element; make one fragment for each section if needed.",
      example: '<fragment><set-variable name="a" value="1" /></fragment>',
    },
  },
  HG2130: {
    severity: "error",
    text: "<{element}> cannot stand inside <{parent}>",
    hint: "allowed inside <{parent}>: {allowed}",
    explain: {
      cause:
        "Policies inside `send-request` or `return-response` shape that message, so only some make sense there.",
      expected: "One of the policies that the message lists.",
      mend: "Move it before or after the policy that it stands in.",
      example: '<return-response><set-status code="403" reason="Forbidden" /></return-response>',
    },
  },
  HG2131: {
    severity: "error",
    text: "{message}",
    explain: {
      cause: "The values of this element do not go together; the message says which and why.",
      expected: "What the message says.",
      mend: "Change or remove one of the values.",
      example: '<set-backend-service backend-id="pool" />',
    },
  },

  // ── 3xxx: expressions ─────────────────────────────────────────────────────────────────────────────────────────────
  HG3901: {
    severity: "error",
    text: "this expression is empty",
    hint: "write what it should give",
    explain: {
      cause: "Between the brackets of `@( )` or `@{ }` stands nothing.",
      expected: "One C# expression, or statements that return a value.",
      mend: "Write the expression, or a literal instead.",
      example: "@(context.RequestId)",
    },
  },
  HG3902: {
    severity: "error",
    text: "this expression does not compile once the secret named value `{name}` is put in",
    hint: 'put it inside a string literal: `"{{{name}}}"`',
    explain: {
      cause:
        "A named value is pasted into the expression's source before it is compiled, and its text is not valid C# " +
        "there. It is a secret, so neither its text nor the exact message is shown.",
      expected: "A value that is valid where it is pasted; most belong inside a C# string literal.",
      mend: "Put quotes around the reference, or correct the value.",
      example: '@("{{api-key}}")',
    },
  },

  // ── 4xxx: references ──────────────────────────────────────────────────────────────────────────────────────────────
  HG4001: {
    severity: "error",
    text: "Cannot find a property '{name}'",
    hint: "create the named value, or correct its name",
    explain: {
      cause: "`{{name}}` refers to a named value by its display name, and there is none of this name.",
      expected: "The display name of an existing named value (not its resource id).",
      mend: "Create the named value before the policy, or correct the name. In Liquid bodies unknown names are left alone.",
      example: '<set-variable name="region" value="{{region}}" />',
    },
  },
  HG4002: {
    severity: "error",
    text: "Policy fragment with id '{name}' could not be found.",
    hint: "create the fragment, or correct its id",
    explain: {
      cause: "`include-fragment` names a policy fragment that does not exist.",
      expected: "The id of an existing policy fragment.",
      mend: "Create the fragment before the policies that use it, or correct the id.",
      example: '<include-fragment fragment-id="common-headers" />',
    },
  },
  HG4003: {
    severity: "error",
    text: "policy fragments include each other in a circle: {cycle}",
    hint: "remove one of the inclusions",
    explain: {
      cause: "A fragment that includes itself, directly or through others, would never end.",
      expected: "Inclusions without a circle.",
      mend: "Move what both need into a third fragment.",
      example: '<include-fragment fragment-id="shared" />',
    },
  },
  HG4004: {
    severity: "error",
    text: "policy fragments are nested more than {limit} deep",
    hint: "include fewer levels",
    explain: {
      cause: "Fragments may include fragments, at most 50 levels deep.",
      expected: "At most 50 levels.",
      mend: "Merge some of the fragments.",
      example: '<include-fragment fragment-id="shared" />',
    },
  },
  HG4005: {
    severity: "error",
    text: "with all its fragments this document has more than {limit} policies",
    hint: "include fewer fragments",
    explain: {
      cause: "Fragments that include others several times grow exponentially; the total is limited.",
      expected: "A document that stays within the limit once all fragments are put in.",
      mend: "Include each fragment once, where its policies are needed.",
      example: '<include-fragment fragment-id="shared" />',
    },
  },
  HG4006: {
    severity: "error",
    text: "{kind} `{name}` does not exist",
    hint: "create it, or correct the name",
    explain: {
      cause: "The attribute names a resource that does not exist.",
      expected: "The name of an existing resource.",
      mend: "Create the resource before the policy, or correct the name.",
      example: '<set-backend-service backend-id="openai-pool" />',
    },
  },
  HG4007: {
    severity: "error",
    text: "policy fragment `{name}` has mistakes of its own",
    hint: "mend the fragment first",
    explain: {
      cause: "The included fragment does not compile, so neither does a document that includes it.",
      expected: "A fragment without errors.",
      mend: "Mend the errors reported for the fragment.",
      example: '<include-fragment fragment-id="common-headers" />',
    },
  },

  // ── 5xxx: configuration files ─────────────────────────────────────────────────────────────────────────────────────

  // ── 6xxx: warnings ────────────────────────────────────────────────────────────────────────────────────────────────
  HG6001: {
    severity: "warning",
    text: "the section <{section}> is missing; it is taken as <{section}><base /></{section}>",
    hint: "write it out: with `<base />` to inherit, empty to inherit nothing",
    explain: {
      cause:
        "Whether a missing section inherits or not is not defined; inheriting keeps access control in place.",
      expected: "All four sections.",
      mend: "Add the section, with `<base />` or empty.",
      example: "<on-error><base /></on-error>",
    },
  },
  HG6002: {
    severity: "warning",
    text: "<backend> holds more than one policy",
    hint: "Azure API Management accepts one policy here",
    explain: {
      cause: "The backend section of Azure API Management holds one policy element; Headgate accepts more.",
      expected: "One `base`, `forward-request` or `retry`.",
      mend: "Move the others to inbound, or into the `retry`.",
      example: "<backend><base /></backend>",
    },
  },
  HG6003: {
    severity: "warning",
    text: "text mixed with an expression: the whole is taken literally, nothing is evaluated",
    hint: 'make it one expression, such as `@("text" + …)`',
    explain: {
      cause: "An expression must be the whole value; `@(` in the middle of text has no meaning.",
      expected: "A literal, or one expression.",
      mend: "Join the parts with `+` or an interpolated string inside one expression.",
      example: '<value>@("Bearer " + (string)context.Variables["token"])</value>',
    },
  },
  HG6004: {
    severity: "warning",
    text: "this {element} can never run: the condition on line {line} is always true",
    hint: "remove it, or correct the condition above",
    explain: {
      cause:
        "`choose` runs the first `when` whose condition is true; those behind a constant `true` are never asked.",
      expected: "A condition that depends on the request, or `otherwise` for the rest.",
      mend: "Correct the condition or remove what cannot run.",
      example: '<choose><when condition="@(…)" /><otherwise /></choose>',
    },
  },
  HG6005: {
    severity: "warning",
    text: "the variable `{name}` is read, but nothing in this document sets it",
    hint: "set it first, or read it with `GetValueOrDefault`",
    explain: {
      cause:
        "No policy of this document sets the variable; without one at a broader scope it is null when it is read.",
      expected:
        "A `set-variable` (or another policy that stores a result) with exactly this name; case matters.",
      mend: "Correct the name, or set the variable before it is read.",
      example: '<set-variable name="model" value="gpt" />',
    },
  },
  HG6006: {
    severity: "warning",
    text: "the response body is read here: streamed answers are held back until they are complete",
    hint: "read it only when the answer is not `text/event-stream`",
    explain: {
      cause:
        "An expression that reads the response body needs all of it, so a streamed answer reaches the client at once, late.",
      expected: "On APIs that stream, policies that do without the response body.",
      mend: "Guard it with a `choose` on the Content-Type, or use the policies that read usage from the stream.",
      example: '<llm-emit-token-metric><dimension name="API ID" /></llm-emit-token-metric>',
    },
  },
  HG6007: {
    severity: "warning",
    text: "<{element}> never runs: <{before}> on line {line} always ends the request",
    hint: "move it before, or remove it",
    explain: {
      cause:
        "`return-response` and `mock-response` end the request; what follows in the same place is never reached.",
      expected: "Nothing behind a policy that ends the request.",
      mend: "Move the policy before it, or put the ending policy into a `choose`.",
      example: '<choose><when condition="@(…)"><return-response /></when></choose>',
    },
  },
  HG6008: {
    severity: "warning",
    text: "a policy fragment that includes another one is not portable",
    hint: "Azure API Management refuses it",
    explain: {
      cause: "The original does not allow `include-fragment` inside a fragment; Headgate does.",
      expected: "Fragments without inclusions, if the document should run there too.",
      mend: "Include both fragments from the document.",
      example: '<include-fragment fragment-id="a" /><include-fragment fragment-id="b" />',
    },
  },
  HG6009: {
    severity: "warning",
    text: "`--` inside an XML comment is not well-formed",
    hint: "strict XML readers refuse this document",
    explain: {
      cause:
        "XML forbids two hyphens in a row inside a comment; often one comment was not closed before the next.",
      expected: "`-->` before the next `<!--`.",
      mend: "Close the comment, or take out the hyphens.",
      example: "<!-- first --> <!-- second -->",
    },
  },
  HG6010: {
    severity: "warning",
    text: "this condition is always {value}",
    hint: "{consequence}",
    explain: {
      cause: "The condition does not depend on the request, so the same branch is taken each time.",
      expected: "A condition that depends on the request.",
      mend: "Correct the condition, or remove the branch.",
      example: "@(context.Response.StatusCode == 429)",
    },
  },
  HG6011: {
    severity: "warning",
    text: "<{element}> does nothing here: {why}",
    hint: "move it to <{section}>",
    explain: {
      cause:
        "The policy is allowed in this section, but what it changes has already been used or does not exist yet.",
      expected: "The policy in a section where its effect is seen.",
      mend: "Move it.",
      example: '<inbound><set-backend-service backend-id="pool" /></inbound>',
    },
  },
  HG6012: {
    severity: "warning",
    text: "a bare `&` in a rewrite template is not well-formed XML",
    hint: "write `&amp;`",
    explain: {
      cause:
        "In XML `&` begins an entity. Templates of `rewrite-uri` are read all the same; strict XML readers refuse them.",
      expected: "`&amp;` between query parameters.",
      mend: "Write `&amp;`.",
      example: '<rewrite-uri template="/orders?state=open&amp;sort=date" />',
    },
  },
  HG6013: {
    severity: "warning",
    text: "these braces are text: the string is not interpolated",
    hint: 'write `$` in front of the string: `$"…"`',
    explain: {
      cause: 'Only in strings that begin with `$"` is `{…}` replaced by a value.',
      expected: "`$` in front of the opening quote.",
      mend: "Add the `$`; where the braces are meant, nothing needs doing.",
      example: '@($"id {context.RequestId}")',
    },
  },
} as const satisfies Record<string, Message>;

/** The codes of this file's own entries; those of expressions are made by parser and binder. */
export type DiagnosticCode = keyof typeof messageTable;

/** Every message of the compiler by its code: the table above and those of the expression parser and binder. */
export const messages: Readonly<Record<string, Message>> = {
  ...SYNTAX_PAGES,
  ...BINDER_MESSAGES,
  ...messageTable,
};

/** What `headgate explain` prints for a code (any case); null for a code that does not exist. */
export function explain(code: string): string | null {
  const key = code.trim().toUpperCase();
  if (!Object.hasOwn(messages, key)) return null;
  const { severity, text, explain: page } = messages[key]!;
  const example = page.example.replaceAll("\n", "\n    ");
  return (
    `${severity}[${key}]: ${text}\n\n${page.cause}\n\n` +
    `Expected: ${page.expected}\n\nWhat to do: ${page.mend}\n\nExample:\n    ${example}\n`
  );
}

/** Makes a diagnostic from the table; `start` and `end` are offsets in `source`. */
export function diagnose(
  code: DiagnosticCode,
  source: SourceText,
  start: number,
  end: number,
  values: MessageValues = {},
  extras: DiagnosticExtras = {},
): Diagnostic {
  const message: Message = messageTable[code];
  const hint = extras.hint ?? (message.hint === undefined ? undefined : fill(message.hint, values));
  return {
    code,
    severity: extras.severity ?? message.severity,
    message: fill(message.text, values),
    ...(source.file === undefined ? {} : { file: source.file }),
    range: source.rangeAt(start, end),
    ...(hint === undefined ? {} : { hint }),
    ...(extras.notes === undefined || extras.notes.length === 0 ? {} : { notes: extras.notes }),
    ...(extras.element === undefined ? {} : { element: extras.element }),
  };
}

/** `{name}` becomes its value; a brace pair without a value of that name stays. */
function fill(template: string, values: MessageValues): string {
  return template.replace(/\{(\w+)\}/g, (all, name: string) =>
    Object.hasOwn(values, name) ? shorten(String(values[name])) : all,
  );
}

const longestValue = 120;

/** Quoted pieces of a document stay on one line and readable. */
function shorten(value: string): string {
  // oxlint-disable-next-line no-control-regex
  const flat = value.replace(/[\u0000-\u001f\u007f-\u009f\s]+/g, " ");
  return flat.length <= longestValue ? flat : `${flat.slice(0, longestValue)}…`;
}

/** Most diagnostics kept for one document, so that a broken one cannot fill the memory. */
export const mostDiagnostics = 500;

/** Collects the diagnostics of one source text. */
export class DiagnosticList {
  readonly source: SourceText;
  readonly items: Diagnostic[] = [];
  #errorCount = 0;

  constructor(source: SourceText) {
    this.source = source;
  }

  report(
    code: DiagnosticCode,
    start: number,
    end: number,
    values?: MessageValues,
    extras?: DiagnosticExtras,
  ): void {
    this.add(
      this.items.length < mostDiagnostics ? diagnose(code, this.source, start, end, values, extras) : null,
    );
  }

  /** Takes over a diagnostic made elsewhere. */
  add(diagnostic: Diagnostic | null): void {
    const { items } = this;
    if (diagnostic === null || diagnostic.severity === "error") this.#errorCount++;
    if (diagnostic !== null && items.length < mostDiagnostics) items.push(diagnostic);
    else if (items.length === mostDiagnostics) {
      items.push(diagnose("HG1029", this.source, 0, 0, { limit: mostDiagnostics }));
    }
  }

  /** Takes back what was said since there were `mark` items, but for one code. */
  keepOnly(mark: number, code: DiagnosticCode): void {
    const kept = this.items.slice(mark).filter((item) => item.code === code);
    if (this.items.length > mostDiagnostics) return;
    this.items.splice(mark, Infinity, ...kept);
  }

  /** "Did you mean": nothing once no more diagnostics are kept, so that a broken document costs no search. */
  suggest(name: string, candidates: Iterable<string>): string | null {
    return this.items.length < mostDiagnostics ? suggest(name, candidates) : null;
  }

  /** Grows with each error, also with those that were not kept. */
  get errorCount(): number {
    return this.#errorCount;
  }
}

/** By place, errors before warnings at the same place; stable otherwise. */
export function sortDiagnostics(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  return [...diagnostics].sort(
    (a, b) => a.range.start.offset - b.range.start.offset || severityRank(a) - severityRank(b),
  );
}

function severityRank(diagnostic: Diagnostic): number {
  return diagnostic.severity === "error" ? 0 : 1;
}

/**
 * The text that the management REST gives for a diagnostic of a policy document.
 * Source: policies-document.md §5, `Error in element '…' on line L, column C: …`
 */
export function restMessage(diagnostic: Diagnostic): string {
  const { line, column } = diagnostic.range.start;
  return `Error in element '${diagnostic.element ?? "policies"}' on line ${line}, column ${column}: ${restReason(diagnostic)}`;
}

/** The original's wording where it is known. */
function restReason(diagnostic: Diagnostic): string {
  switch (diagnostic.code) {
    case "HG2115":
    case "HG2116":
    case "HG2125":
      return "Policy section is not allowed in the specified scope";
    case "HG2118": {
      const allowed = diagnostic.hint?.replace(/^expected: /, "") ?? "";
      const list = allowed.split(", ").map((name) => `'${name}'`);
      return (
        `The element '${diagnostic.element ?? ""}' cannot contain text. ` +
        `List of possible elements expected: ${list.join(", ")}.`
      );
    }
    case "HG4001":
      return `${diagnostic.message}.`;
    default:
      return diagnostic.message;
  }
}
