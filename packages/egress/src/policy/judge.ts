/**
 * The verdict on one request, first on what was asked for, then on every address it stands for.
 * Rule: any deny that matches wins, no allow means no, and special addresses (special.ts) are reached as follows: an
 * address or range that names them, or a service defined with that very address: all of them an exact name, a wildcard
 * name, a service defined with a name: public and private; "localhost" named exactly: loopback too `*`: public only The
 * owner of a name chooses its addresses and can change them between two look-ups (DNS rebinding), so no name opens the
 * egress's own machine, its neighbours on the link, or the metadata service: somebody has to have written the address.
 * What goes through a next hop (`via`) is resolved there, so that no address can be judged: it is reached by an exact
 * name or through a service, and not at all where a deny of addresses with its port holds; with `resolve: here` it is
 * judged as ever. An address that is asked for as such is judged as ever. A Unix socket has no address: it is reached
 * through the service that names it, and by nothing else.
 * Not here: which rules speak about an identity, where services point (policy.ts); sockets, resolving (the dialer).
 */
import { parseAddress, unmapped } from '@adit/shared/protocol/address';
import type { Clause, Grant, Grants, NameMatch } from './grants.ts';
import type { Backend } from './service.ts';
import { classify, embedded, type AddressKind } from './special.ts';
import type { Allowed, Denied, Verdict } from './verdict.ts';
import { resolvesThere, type Via } from './via.ts';

/**
 * A request with everything resolved that needs no DNS. `literal`: the bytes of `host`, unmapped, when it is an
 * address.
 */
export interface Request {
  readonly allow: Grants;
  readonly deny: Grants;
  /** As the client wrote it, in its one spelling. */
  readonly text: string;
  readonly identity: string;
  /** The place that is asked about. */
  readonly backend: Backend;
  readonly host: string;
  readonly port: number;
  readonly literal: Uint8Array | undefined;
  readonly service: string | undefined;
  /** For the log: which rule came nearest. Asked for only when the answer is no. */
  readonly nearest: () => string;
}

const loopbacks = ['127.0.0.1', '::1'].map((text) => parseAddress(text)!);

/**
 * Before DNS. For an address this is the last word; for a name it means: may be resolved, and each address asked about.
 */
export function judgeRequest(request: Request): Verdict {
  const denied = denyOf(request);
  if (denied !== undefined) return refusedBy(denied, request);
  if (request.literal !== undefined) return judgeAddress(request, request.literal);
  const match = request.backend.kind === 'unix' ? undefined : nameMatch(request);
  if (match !== undefined && resolvesThere(request.backend.via ?? match.grant.via))
    return judgeUnresolved(request, match);
  const grant = request.backend.kind === 'unix' ? unixGrant(request) : (match?.grant ?? localhostRange(request));
  return grant === undefined ? refused(request) : allowed(grant, request);
}

/** A name that the next hop resolves. Any deny of names was asked before. */
function judgeUnresolved(request: Request, { grant, breadth }: NameMatch): Verdict {
  const via = (request.backend.via ?? grant.via)!.name;
  if (breadth !== 'exact')
    return {
      ...refused(
        request,
        `${grant.why} allows it through ${via}, which resolves the name, so that its addresses cannot be ` +
          'judged: only a rule with this very name reaches it',
      ),
      rule: grant.rule,
    };
  const unknown = request.deny.someRange(request.port);
  if (unknown !== undefined)
    return {
      ...refused(
        request,
        `${unknown.why} denies addresses, and ${via}, which resolves the name, does not say which it reaches`,
      ),
      rule: unknown.rule,
    };
  return allowed(grant, request);
}

/** The next hop of what is allowed, by name where that is what was asked for. */
function viaOf(request: Request): Via | undefined {
  return (
    request.backend.via ??
    (request.backend.kind === 'unix' || request.literal !== undefined ? undefined : nameMatch(request)?.grant.via)
  );
}

/**
 * After DNS: one address as the resolver wrote it. What is no plain address (one with a zone, say) is refused, and so
 * is any other address than the one that was asked for as such. Asks everything again, so that it is safe to ask alone.
 */
export function judgeResolved(request: Request, address: string): Verdict {
  if (request.backend.kind === 'unix')
    return address === request.backend.path
      ? judgeRequest(request)
      : unreachable(request, `${address} is not the socket of the service`);
  if (request.literal === undefined && resolvesThere(viaOf(request)))
    return address === request.host
      ? judgeRequest(request)
      : unreachable(request, `${address} is not the name that the next hop was asked for`);
  const parsed = parseAddress(address);
  if (parsed === undefined) return unreachable(request, `${JSON.stringify(address)} is no plain address`);
  const bytes = unmapped(parsed);
  if (request.literal !== undefined && !sameBytes(request.literal, bytes))
    return unreachable(request, `${address} is not the address that was asked for`);
  return judgeAddress(request, bytes);
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}

/** One unmapped address. */
function judgeAddress(request: Request, bytes: Uint8Array): Verdict {
  const { allow, deny, port } = request;
  const inside = embedded(bytes);
  const denied =
    denyOf(request) ??
    deny.ranged(bytes, port, 0) ??
    (inside === undefined ? undefined : deny.ranged(inside.bytes, port, 0));
  if (denied !== undefined) return refusedBy(denied, request);
  const special = classify(bytes);
  const match = nameMatch(request);
  const range =
    request.service !== undefined && match === undefined ? undefined : allow.ranged(bytes, port, special.minPrefix);
  // a range says more of an address than `*` does
  const exact = request.literal !== undefined && request.service === undefined ? range : undefined;
  if (exact === undefined && match !== undefined && reaches(match, request, special.kind))
    return allowed(match.grant, request);
  if (range !== undefined && request.literal === undefined && range.via !== viaOf(request))
    return refusedThrough(range, request);
  if (
    range !== undefined &&
    (match !== undefined || request.literal !== undefined || localhostRange(request) !== undefined)
  )
    return allowed(range, request);
  const wide =
    match?.grant ??
    (request.literal === undefined || request.service !== undefined ? undefined : allow.ranged(bytes, port, 0));
  return wide === undefined ? refused(request) : prohibited(request, special.kind, wide);
}

function denyOf({ deny, service, literal, host, port, backend }: Request): Clause | undefined {
  if (backend.kind === 'unix') return (service === undefined ? undefined : deny.service(service)) ?? deny.everything();
  return (
    (service === undefined ? undefined : deny.service(service)) ??
    (literal === undefined ? (deny.named(host, port)?.grant ?? deny.listed(host)) : deny.any(port))
  );
}

function unixGrant({ allow, service }: Request): Grant | undefined {
  return service === undefined ? undefined : allow.service(service);
}

/**
 * What allows the request by its name: the service, or a pattern of names. For an address that is not a service's, `*`
 * alone.
 */
function nameMatch({ allow, service, literal, host, port }: Request): NameMatch | undefined {
  const grant = service === undefined ? undefined : allow.service(service);
  if (service !== undefined) return grant === undefined ? undefined : { grant, breadth: 'exact' };
  if (literal === undefined) return allow.named(host, port);
  const any = allow.any(port);
  return any === undefined ? undefined : { grant: any, breadth: 'any' };
}

function reaches({ breadth }: NameMatch, { service, literal, host }: Request, kind: AddressKind): boolean {
  if (kind === 'public' || (service !== undefined && literal !== undefined)) return true;
  if (kind === 'private') return breadth !== 'any';
  return kind === 'loopback' && breadth === 'exact' && host === 'localhost';
}

/** "localhost" is loopback by definition (RFC 6761 section 6.3), so a range that names loopback names it. */
function localhostRange({ allow, service, host, port }: Request): Grant | undefined {
  if (host !== 'localhost' || service !== undefined) return undefined;
  const range =
    allow.ranged(loopbacks[0]!, port, classify(loopbacks[0]!).minPrefix) ??
    allow.ranged(loopbacks[1]!, port, classify(loopbacks[1]!).minPrefix);
  return range?.via === undefined ? range : undefined; // our loopback is not that of the next hop
}

/**
 * A name whose address only a rule with another way reaches than the name takes: 127.0.0.1 here is another machine than
 * 127.0.0.1 there.
 */
function refusedThrough(range: Grant, request: Request): Denied {
  return {
    ...unreachable(
      request,
      `${range.why} allows its address, ${range.via === undefined ? 'directly' : `through ${range.via.name}`}: ` +
        'the address has to be asked for as such',
    ),
    rule: range.rule,
  };
}

function allowed(grant: Grant, { backend, service }: Request): Allowed {
  const via = backend.via ?? (service === undefined ? grant.via : undefined);
  return {
    allow: true,
    rule: grant.rule,
    backends: [via === undefined || backend.via !== undefined ? backend : { ...backend, via }],
    detail: `${grant.why} allows it${via === undefined ? '' : `, through ${via.name}`}`,
  };
}

function refusedBy(clause: Clause, request: Request): Denied {
  return { ...refused(request, `${clause.why} denies it`), rule: clause.rule };
}

function refused({ text, identity, nearest }: Request, detail?: string): Denied {
  return {
    allow: false,
    code: 'POLICY_DENIED',
    reason: `The policy of the egress does not allow ${identity} to reach ${text}.`,
    detail: detail ?? nearest(),
  };
}

function unreachable({ text }: Request, detail: string): Denied {
  return {
    allow: false,
    code: 'ADDRESS_PROHIBITED',
    reason: `${text} resolves to an address that the policy of the egress does not let this name reach.`,
    detail,
  };
}

function prohibited({ text, literal, service }: Request, kind: AddressKind, wide: Grant): Denied {
  const direct = literal !== undefined && service === undefined;
  const reason = direct
    ? `${text} is a ${kind} address, and the policy of the egress does not name it.`
    : `${text} resolves to an address that the policy of the egress does not let this name reach.`;
  return {
    allow: false,
    code: 'ADDRESS_PROHIBITED',
    rule: wide.rule,
    reason,
    detail:
      `${wide.why} allows it, but the address is ${kind}: only a rule with that address, or a range inside its ` +
      'block, reaches it',
  };
}
