import type { MistakePlace } from "../../compiler/policy.ts";
import { GatewayError } from "../../gateway/errors.ts";
import { definePolicy } from "../../gateway/policy.ts";
import { type AddressRange, parseAddress, parseRange, rangeOf, within } from "../../base/addresses.ts";

/** Lets callers through, or keeps them out, by address. */
export const ipFilter = definePolicy({
  element: "ip-filter",
  summary: "Allows or forbids callers by IP address or range.",
  sections: ["inbound"],
  shape: {
    attributes: {
      action: {
        type: "string",
        expression: true,
        required: true,
        oneOf: ["allow", "forbid"],
        doc: "allow: only these; forbid: all but these.",
      },
    },
    children: {
      address: {
        text: { type: "string", expression: true, required: true },
        doc: "One address, or a CIDR block.",
      },
      "address-range": {
        attributes: {
          from: { type: "string", expression: true, required: true, doc: "First address, inclusive." },
          to: { type: "string", expression: true, required: true, doc: "Last address, inclusive." },
        },
      },
    },
  },
  check: ({ attributes: { action }, children }, report) => {
    const isForbid = action.isConstant && action.constant!.toLowerCase() === "forbid";
    const sayEverything = (place: MistakePlace): void =>
      report(
        isForbid
          ? "this range holds every address, so every caller is refused"
          : "this range holds every address, so nothing is filtered",
        place,
        "name the addresses that are meant",
        "warning",
      );
    if (children.address.length === 0 && children["address-range"].length === 0) {
      report("at least one <address> or <address-range> is needed");
    }
    for (const [index, { text }] of children.address.entries()) {
      const place = { child: "address", index, value: true };
      if (text.isConstant && parseRange(text.constant!) === null) {
        report(
          `"${text.constant!}" is not an IP address or CIDR block`,
          place,
          "such as 10.1.2.3 or 10.1.0.0/16",
        );
      } else if (text.isConstant && isEverything(text.constant!, text.constant!)) {
        sayEverything(place);
      }
    }
    for (const [
      index,
      {
        attributes: { from, to },
      },
    ] of children["address-range"].entries()) {
      const place = { child: "address-range", index };
      if (from.isConstant && to.isConstant && rangeOf(from.constant!, to.constant!) === null) {
        report(
          `"${from.constant!}" to "${to.constant!}" is not a range of addresses`,
          place,
          "both ends must be IPv4 or both IPv6, and from not above to",
        );
      } else if (from.isConstant && to.isConstant && isEverything(from.constant!, to.constant!)) {
        sayEverything(place);
      }
    }
  },
  prepare: ({ attributes: { action }, children }) => {
    const singles = children.address.map(({ text }) => text);
    const ranges = children["address-range"].map(({ attributes }) => attributes);
    const fixed =
      singles.every((text) => text.isConstant) &&
      ranges.every(({ from, to }) => from.isConstant && to.isConstant)
        ? [
            ...singles.map((text) => parseRange(text.constant!)),
            ...ranges.map(({ from, to }) => rangeOf(from.constant!, to.constant!)),
          ].filter((range) => range !== null)
        : null;
    return (exchange) => {
      const { context } = exchange;
      const caller = exchange.request.ipAddress;
      const address = parseAddress(caller);
      if (address === null)
        throw denied(
          "FailedToParseCallerIP",
          "Failed to establish IP address for the caller. Access denied.",
        );
      const list: readonly (AddressRange | null)[] = fixed ?? [
        ...singles.map((text) => parseRange(text(context))),
        ...ranges.map(({ from, to }) => rangeOf(from(context), to(context))),
      ];
      const listed = list.some((range) => range !== null && within(address, range));
      const how = action(context).toLowerCase();
      if (how !== "allow" && how !== "forbid") throw unusable(`action is allow or forbid, not "${how}".`);
      // Whom an unreadable entry was to keep out cannot be told.
      if (how === "forbid" && list.includes(null))
        throw unusable("An expression gave something that is no address, CIDR block or range of addresses.");
      if (how === "forbid" ? listed : !listed) {
        throw how === "forbid"
          ? denied("CallerIpBlocked", "Caller IP address is blocked. Access denied.")
          : denied("CallerIpNotAllowed", `Caller IP address ${caller} is not allowed. Access denied.`);
      }
    };
  },
});

/** All of IPv4 or all of IPv6. */
function isEverything(from: string, to: string): boolean {
  const range = from === to ? parseRange(from) : rangeOf(from, to);
  if (range === null) return false;
  const ends = [
    ["0.0.0.0", "255.255.255.255"],
    ["::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"],
  ];
  return ends.some((all) => all.every((end) => within(parseAddress(end)!, range)));
}

function unusable(message: string): GatewayError {
  return new GatewayError({ source: "ip-filter", reason: "AddressInvalid", message, status: 500 });
}

function denied(reason: string, message: string): GatewayError {
  return new GatewayError({ source: "ip-filter", reason, message, status: 403, clientMessage: "Forbidden" });
}
