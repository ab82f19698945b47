/**
 * The verdict on one request: first on what was asked for, then on every address that it resolves to.
 * Rule: any deny that matches wins, and no allow means no. Which kinds of address (special.ts) a pattern opens:
 *   an address or range that names it, or a service with that very address: every kind;
 *   an exact name, a wildcard name, a service with a name: public and private; exactly "localhost": loopback too;
 *   `*`: public only.
 * The owner of a name chooses its addresses and can change them between two look-ups (DNS rebinding). Therefore no name
 * opens the egress's own machine, its neighbours on the link or the metadata service: a rule or a
 * service has to hold the address itself.
 * A next hop (`via`) resolves the name itself, so that no address can be judged: such a destination is reached by an
 * exact name or through a service, and not at all where a deny of addresses has its port. With `resolve: here`, and for
 * an address that the client asked for, the addresses are judged as always. A Unix socket has no address: only the
 * service that names it reaches it.
 * Not here: which rules name an identity, and where services point (policy.ts); sockets and resolving (the dialer).
 */
import { parseAddress, unmapped } from '@adit/shared/protocol/address';
import type { Clause, Grant, Grants, NameMatch } from './grants.ts';
import type { Backend } from './service.ts';
import { classify, embedded, type AddressKind } from './special.ts';
import type { Allowed, Denied, Verdict } from './verdict.ts';
import { resolvesThere, type Via } from './via.ts';

/** A request, without what needs DNS. `literal`: the bytes of `host`, unmapped, when it is an address. */
export interface Request {
  readonly allow: Grants;
  readonly deny: Grants;
  /** The destination as the client asked for it, in its one spelling. */
  readonly text: string;
  readonly identity: string;
  /** The backend that is asked about. */
  readonly backend: Backend;
  readonly host: string;
  readonly port: number;
  readonly literal: Uint8Array | undefined;
  readonly service: string | undefined;
  /** For the log: which rule is the nearest. Called only when the answer is no. */
  readonly nearest: () => string;
}

const loopbacks = ['127.0.0.1', '::1'].map((text) => parseAddress(text)!);

/** Before DNS. The verdict on an address is final; a name that is allowed may be resolved, and each address judged. */
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

/** A name that the next hop resolves. The denies of names were checked before. */
function judgeUnresolved(request: Request, { grant, breadth }: NameMatch): Verdict {
  const via = (request.backend.via ?? grant.via)!.name;
  if (breadth !== 'exact')
    return {
      ...refused(
        request,
        `${grant.why} allows it through ${via}, which resolves the name, so its addresses cannot be ` +
          'judged: only a rule with this very name reaches it',
      ),
      rule: grant.rule,
    };
  const unknown = request.deny.someRange(request.port);
  if (unknown !== undefined)
    return {
      ...refused(
        request,
        `${unknown.why} denies addresses, and ${via}, which resolves the name, does not say which one it connects to`,
      ),
      rule: unknown.rule,
    };
  return allowed(grant, request);
}

/** The next hop of what is allowed. */
function viaOf(request: Request): Via | undefined {
  return (
    request.backend.via ??
    (request.backend.kind === 'unix' || request.literal !== undefined ? undefined : nameMatch(request)?.grant.via)
  );
}

/**
 * After DNS: one address as the resolver wrote it. Anything but a plain address (one with a zone, say) is refused.
 * Where the client asked for an address, every other one is refused. Checks everything again, so that it is safe on its
 * own.
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
  if (parsed === undefined) return unreachable(request, `${JSON.stringify(address)} is not a plain address`);
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
  // a range is more specific about an address than `*`
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
 * What allows the request by its name: its service, or a pattern of names. For an address without a service only `*`.
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
  return range?.via === undefined ? range : undefined; // the next hop has a loopback of its own
}

/**
 * A name whose address is allowed only by a rule with another next hop than that of the name: 127.0.0.1 here is another
 * machine than 127.0.0.1 there.
 */
function refusedThrough(range: Grant, request: Request): Denied {
  return {
    ...unreachable(
      request,
      `${range.why} allows its address, ${range.via === undefined ? 'directly' : `through ${range.via.name}`}: ` +
        'ask for the address itself',
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
