/**
 * The life of one stream at the egress: decode the request, ask the policy, resolve, ask again for every address, dial
 * that address, splice.
 * Rule: bytes that came early are held until the dial has succeeded and dropped when anything refuses; the address
 * checked is the address dialled; whatever happens, the stream ends exactly once and leaves one access record.
 * Not here: who the peer is (attach.ts), how many it may open in all (limits.ts).
 */
import { AditError, type Code, codeOfWire, isCode, wireOfCode } from '@adit/shared/errors';
import type { PeerIdentity } from '@adit/shared/identity/peer';
import type { AccessRecord } from '@adit/shared/observe/access-record';
import { safeText } from '@adit/shared/observe/safe-text';
import { formatDestination, formatHostPort } from '@adit/shared/protocol/destination';
import { decodeOpen, type OpenRequest } from '@adit/shared/protocol/open';
import type { OfferedStream } from '@adit/shared/stream/contract';
import { Relay, type RelayEnd, type RelayOutcome } from '@adit/shared/stream/relay';
import type { Reached, Services } from './backend/services.ts';
import type { Policy } from './policy/policy.ts';
import type { Verdict } from './policy/verdict.ts';
import type { Lease } from './limits.ts';
import { loopOf } from './via-header.ts';

export interface StreamContext {
  readonly sessionId: string;
  readonly identity: PeerIdentity;
  /** The policy in force now. */
  readonly policy: () => Policy;
  /** Reaches what the policy permits. */
  readonly services: Services;
  /** Where the client's connection comes from now. */
  readonly remote: () => string;
  /** Takes a place among the open streams, or says which limit is reached. */
  readonly admit: () => Lease | { readonly code: Code; readonly reason: string };
  readonly dialTimeoutMs: number;
  readonly idleTimeoutMs: number;
  readonly record: (record: AccessRecord) => void;
  /** The stream is over and its place is free. */
  readonly ended: (served: ServedStream) => void;
}

/** Where to, and how it was asked for: by a front end of an ingress (its claim), or by CONNECT. */
export type Asked = Omit<OpenRequest, 'frontEnd'> & {
  readonly frontEnd?: OpenRequest['frontEnd'] | 'connect';
  /** Over which hops it came, by Via. */ readonly hops?: readonly string[];
};

type Denial = { readonly code: Code; readonly reason: string; readonly detail?: string; readonly rule?: string };

/** One stream being served. */
export class ServedStream {
  readonly #context: StreamContext;
  readonly #stream: OfferedStream;
  readonly #relay: Relay;
  readonly #started = performance.now();
  /** While the dial lasts. */
  #dialling: AbortController | undefined;
  #request: Asked | undefined;
  #lease: Lease | undefined;
  #reached: Reached | undefined;
  #rule: string | undefined;
  #dialMs: number | undefined;
  #denied = false;
  #detail: string | undefined;

  /** `asked`: the payload of OPEN, or what the request of another protocol was read to be. */
  constructor(stream: OfferedStream, asked: Uint8Array | Asked, context: StreamContext) {
    this.#stream = stream;
    this.#context = context;
    this.#relay = new Relay(stream, { ended: (outcome) => this.#ended(outcome) });
    const denial = this.#begin(asked);
    if (denial) this.#refuse(denial);
  }

  /** The policy changed: is this stream still allowed? Where not, it is reset. */
  recheck(): void {
    if (this.#relay.over || !this.#request) return;
    const policy = this.#context.policy();
    let verdict = policy.decide(this.#context.identity, this.#request.destination);
    if (verdict.allow && this.#reached)
      verdict = policy.decideBackend(
        this.#context.identity,
        { destination: this.#request.destination, backend: this.#reached.backend.name },
        this.#reached.address,
      );
    if (!verdict.allow) this.abort('POLICY_RELOADED', 'the policy changed and no longer allows this destination');
  }

  abort(code: Code, reason: string): void {
    this.#relay.abort(code, reason);
  }

  #begin(asked: Uint8Array | Asked): Denial | undefined {
    const decoded = asked instanceof Uint8Array ? decodeOpen(asked) : { ok: true as const, request: asked };
    if (!decoded.ok)
      return { code: decoded.why === 'unsupported' ? 'UNSUPPORTED' : 'PROTOCOL_ERROR', reason: decoded.reason };
    this.#request = decoded.request;
    const admitted = this.#context.admit();
    if ('code' in admitted) return admitted;
    this.#lease = admitted;
    const { destination, hops = [] }: Asked = decoded.request;
    const loop = loopOf(hops, this.#context.services.pseudonym);
    if (loop !== undefined)
      return {
        code: 'VIA_LOOP',
        reason: loop,
        detail: `${loop} (Via: ${safeText(hops.join(', '), { maxLength: 512 })})`,
      };
    const verdict = this.#context.policy().decide(this.#context.identity, destination);
    if (!verdict.allow) {
      this.#denied = true;
      return verdict;
    }
    this.#rule = verdict.rule;
    void this.#dial(decoded.request, verdict);
    return undefined;
  }

  async #dial(
    { destination, client, alpn, hops }: Asked,
    { backends, service }: Verdict & { readonly allow: true },
  ): Promise<void> {
    const dialled = performance.now();
    const { signal } = (this.#dialling = new AbortController());
    const { identity, sessionId, services, dialTimeoutMs } = this.#context;
    const policy = this.#context.policy();
    try {
      const reached = await services.reach({
        backends,
        ...(service && { service }),
        ...(hops && { hops }),
        timeoutMs: dialTimeoutMs,
        signal,
        caller: {
          identity,
          ...(client !== undefined && { client }),
          ...(alpn !== undefined && { alpn }),
          remote: this.#context.remote(),
          requested: formatDestination(destination),
          stream: `${sessionId}-${this.#stream.id}`,
        },
        permit: (backend, address) => policy.decideBackend(identity, { destination, backend: backend.name }, address),
      });
      this.#dialling = undefined;
      this.#dialMs = performance.now() - dialled;
      this.#reached = reached;
      this.#rule = reached.rule;
      if (!this.#relay.over) this.#stream.accept(nothing);
      if (policy !== this.#context.policy()) this.recheck(); // it changed while we dialled
      if (this.#relay.over) reached.release();
      this.#relay.attach(reached.local, { idleTimeoutMs: this.#context.idleTimeoutMs });
    } catch (error) {
      this.#dialling = undefined;
      if (this.#relay.over) return;
      if (!(error instanceof AditError)) throw error;
      // a next hop has a policy of its own
      const ours = !(error.cause instanceof Error && error.cause.cause instanceof AditError);
      this.#denied = ours && (error.code === 'POLICY_DENIED' || error.code === 'ADDRESS_PROHIBITED');
      this.#refuse({
        code: error.code,
        reason: error.message,
        ...(error.cause instanceof Error && { detail: error.cause.message }),
      });
    }
  }

  #refuse(denial: Denial): void {
    this.#detail = denial.detail;
    if (denial.rule !== undefined) this.#rule = denial.rule;
    const refusal = { code: wireOfCode(denial.code), reason: denial.reason };
    this.#stream.refuse(refusal);
    this.#relay.refused(refusal);
  }

  #ended(outcome: RelayOutcome): void {
    this.#dialling?.abort(); // costs an exception with its stack: only where there is something to end
    this.#lease?.release();
    this.#reached?.release();
    const { identity, sessionId } = this.#context;
    const code = isCode(outcome.code) ? outcome.code : codeOfWire(outcome.code);
    this.#context.record({
      session: sessionId,
      stream: this.#stream.id,
      identity: identity.uri,
      frontEnd: this.#request?.frontEnd ?? 'unknown',
      ...(this.#request?.client !== undefined && { client: this.#request.client }),
      requested: this.#request ? formatDestination(this.#request.destination) : '',
      ...(this.#reached && { resolved: placeOf(this.#reached) }),
      ...(this.#reached?.backend.via && { via: this.#reached.backend.via.name }),
      ...(this.#reached && this.#reached.attempts > 1 && { attempts: this.#reached.attempts }),
      ...(this.#rule !== undefined && { rule: this.#rule }),
      verdict: this.#denied ? 'deny' : 'allow',
      ...(code !== 'NO_ERROR' && { code, reason: this.#detail ?? outcome.reason }),
      end: endOf(outcome.end, code),
      bytesUp: outcome.bytesReceived,
      bytesDown: outcome.bytesSent,
      ...(this.#dialMs !== undefined && { dialMs: round(this.#dialMs) }),
      durationMs: round(performance.now() - this.#started),
    });
    this.#context.ended(this);
  }
}

const nothing = new Uint8Array(0);
const lost: readonly Code[] = ['LINK_LOST', 'NOT_RESUMABLE', 'RESUME_EXPIRED', 'BAD_OFFSET'];
const cut: readonly Code[] = [
  'IDLE_TIMEOUT',
  'POLICY_RELOADED',
  'IDENTITY_NOT_IN_POLICY',
  'REVOKED',
  'CERT_EXPIRED',
  'DRAINING',
  'LIMIT_SESSIONS',
  'OVERLOAD',
];

/**
 * A reset that no side of the connection asked for has a name of its own: its session was lost, or a limit or the
 * operator cut it.
 */
function endOf(end: RelayEnd, code: Code): AccessRecord['end'] {
  if (end !== 'reset') return end;
  return lost.includes(code) ? 'lost' : cut.includes(code) ? 'cut' : 'reset';
}

function placeOf({ backend, address }: Reached): string {
  return backend.kind === 'unix' ? backend.name : formatHostPort(address, backend.port);
}

function round(ms: number): number {
  return Math.round(ms * 100) / 100;
}
