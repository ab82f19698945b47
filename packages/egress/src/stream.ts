/**
 * The life of one stream at the egress: decode the request, ask the policy, resolve, ask again for every address, dial
 * that address, splice.
 * Rule: bytes that came early are held until the dial has succeeded and dropped when anything refuses; the address
 * checked is the address dialled; the identity asked about is the one that the client has now; whatever happens, the
 * stream ends exactly once and leaves one access record.
 * Not here: who the client is (clients/), how many streams it may open (limits/).
 */
import { AditError, type Code, codeOfWire, isCode, type Refusal, wireOfCode } from '@adit/shared/errors';
import type { PeerIdentity } from '@adit/shared/identity/peer';
import type { AccessRecord } from '@adit/shared/observe/access-record';
import { safeText } from '@adit/shared/observe/safe-text';
import { formatClient } from '@adit/shared/protocol/client-address';
import { formatDestination, formatHostPort } from '@adit/shared/protocol/destination';
import { decodeOpen, type OpenRequest } from '@adit/shared/protocol/open';
import type { OfferedStream } from '@adit/shared/stream/contract';
import { Relay, type RelayEnd, type RelayOutcome } from '@adit/shared/stream/relay';
import type { Reached, Services } from './backend/services.ts';
import type { Policy } from './policy/policy.ts';
import type { Allowed } from './policy/verdict.ts';
import type { Lease } from './limits/limits.ts';
import type { Waiting } from './limits/waiting.ts';
import { loopOf } from './via-header.ts';

/** Whose stream it is; a resume changes the identity and the address. */
export interface StreamOwner {
  /** What the log calls it. */
  readonly name: string;
  readonly identity: PeerIdentity;
  /** Where its connection comes from. */
  readonly remote: string;
}

export interface StreamContext {
  readonly client: StreamOwner;
  /** The policy in force now. */
  readonly policy: () => Policy;
  /** Reaches what the policy permits. */
  readonly services: Services;
  /** Takes a place among the open streams, or says which limit is reached. */
  readonly admit: () => Lease | Refusal;
  /** `cut` resets the stream when too much waits for the identity. */
  readonly waits: (cut: (refusal: Refusal) => void) => Waiting;
  readonly dialTimeoutMs: number;
  readonly idleTimeoutMs: number;
  readonly record: (record: AccessRecord) => void;
  /** The stream never reached its service, and not because we ended it. Called before `ended`. */
  readonly wasted: () => void;
  /** The stream is over and its place is free. */
  readonly ended: (served: ServedStream) => void;
}

/** Where to, and how it was asked for: by a front end of an ingress (its claim), or by CONNECT. */
export type Asked = Omit<OpenRequest, 'frontEnd'> & {
  readonly frontEnd?: OpenRequest['frontEnd'] | 'connect';
  /** Over which hops it came, by Via. */ readonly hops?: readonly string[];
};

/** What a stream is judged by. */
export type Changed = 'policy' | 'certificate';

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
  #waiting: Waiting | undefined;
  #reached: Reached | undefined;
  #rule: string | undefined;
  #dialMs: number | undefined;
  #denied = false;
  #aborted = false;
  #detail: string | undefined;

  /** `asked`: the payload of OPEN, or the request of another protocol. */
  constructor(stream: OfferedStream, asked: Uint8Array | Asked, context: StreamContext) {
    this.#stream = stream;
    this.#context = context;
    this.#relay = new Relay(stream, {
      ended: (outcome) => this.#ended(outcome),
      waiting: (bytes) => this.#waiting?.set(bytes),
    });
    const refusal = this.#begin(asked);
    if (refusal) this.#refuse(refusal);
  }

  /** The policy, or the certificate of the client, changed: resets the stream if it is no longer allowed. */
  recheck(changed: Changed): void {
    if (this.#relay.over || !this.#request) return;
    const { destination } = this.#request;
    const { identity } = this.#context.client;
    const policy = this.#context.policy();
    let verdict = policy.decide(identity, destination);
    if (verdict.allow && this.#reached)
      verdict = policy.decideBackend(
        identity,
        { destination, backend: this.#reached.backend.name },
        this.#reached.address,
      );
    if (!verdict.allow)
      this.abort({
        code: 'POLICY_RELOADED',
        reason: `the ${changed} changed and no longer allows this destination`,
      });
  }

  abort({ code, reason, detail }: Refusal): void {
    this.#aborted = true;
    this.#detail ??= detail;
    this.#relay.abort(code, reason);
  }

  #begin(asked: Uint8Array | Asked): Refusal | undefined {
    const decoded = asked instanceof Uint8Array ? decodeOpen(asked) : { ok: true as const, request: asked };
    if (!decoded.ok)
      return { code: decoded.why === 'unsupported' ? 'UNSUPPORTED' : 'PROTOCOL_ERROR', reason: decoded.reason };
    this.#request = decoded.request;
    const admitted = this.#context.admit();
    if ('code' in admitted) return admitted;
    this.#lease = admitted;
    this.#waiting = this.#context.waits((refusal) => this.abort(refusal));
    const { destination, hops = [] }: Asked = decoded.request;
    const loop = loopOf(hops, this.#context.services.pseudonym);
    if (loop !== undefined)
      return {
        code: 'VIA_LOOP',
        reason: loop,
        detail: `${loop} (Via: ${safeText(hops.join(', '), { maxLength: 512 })})`,
      };
    const verdict = this.#context.policy().decide(this.#context.client.identity, destination);
    this.#rule = verdict.rule;
    if (!verdict.allow) {
      this.#denied = true;
      return verdict;
    }
    void this.#dial(decoded.request, verdict);
    return undefined;
  }

  async #dial(request: Asked, verdict: Allowed): Promise<void> {
    const dialled = performance.now();
    const { signal } = (this.#dialling = new AbortController());
    const { client, policy } = this.#context;
    const judgedBy = { policy: policy(), identity: client.identity };
    try {
      const reached = await this.#reach(request, verdict, signal);
      this.#dialling = undefined;
      this.#dialMs = performance.now() - dialled;
      this.#reached = reached;
      this.#rule = reached.rule;
      if (!this.#relay.over) this.#stream.accept(nothing);
      // what it was judged by may have changed during the dial
      if (judgedBy.policy !== policy()) this.recheck('policy');
      else if (judgedBy.identity !== client.identity) this.recheck('certificate');
      if (this.#relay.over) reached.release();
      this.#relay.attach(reached.local, { idleTimeoutMs: this.#context.idleTimeoutMs });
    } catch (error) {
      this.#dialling = undefined;
      if (this.#relay.over) return;
      if (!(error instanceof AditError)) throw error;
      this.#notReached(error);
    }
  }

  #reach(
    { destination, client: local, alpn, hops }: Asked,
    { backends, service }: Allowed,
    signal: AbortSignal,
  ): Promise<Reached> {
    const { client, policy, services, dialTimeoutMs } = this.#context;
    return services.reach({
      backends,
      ...(service && { service }),
      ...(hops && { hops }),
      timeoutMs: dialTimeoutMs,
      signal,
      caller: {
        identity: client.identity,
        ...(local !== undefined && { client: local }),
        ...(alpn !== undefined && { alpn }),
        remote: client.remote,
        requested: formatDestination(destination),
        stream: `${client.name}-${this.#stream.id}`,
      },
      permit: (backend, address) =>
        policy().decideBackend(client.identity, { destination, backend: backend.name }, address),
    });
  }

  #notReached({ by, code, message, cause }: AditError): void {
    this.#denied = by === 'us' && (code === 'POLICY_DENIED' || code === 'ADDRESS_PROHIBITED');
    this.#refuse({ code, reason: message, ...(cause instanceof Error && { detail: cause.message }) });
  }

  #refuse({ code, reason, detail }: Refusal): void {
    this.#detail = detail;
    const refusal = { code: wireOfCode(code), reason };
    this.#stream.refuse(refusal);
    this.#relay.refused(refusal);
  }

  #ended(outcome: RelayOutcome): void {
    this.#dialling?.abort(); // costs an exception with its stack: only where there is something to end
    this.#lease?.release();
    this.#waiting?.release();
    this.#reached?.release();
    const { name, identity, remote } = this.#context.client;
    const code = isCode(outcome.code) ? outcome.code : codeOfWire(outcome.code);
    this.#context.record({
      session: name,
      stream: this.#stream.id,
      identity: identity.uri,
      frontEnd: this.#request?.frontEnd ?? 'unknown',
      ...(this.#request?.client !== undefined && { client: formatClient(this.#request.client) }),
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
      remote,
    });
    if (!this.#reached && !this.#aborted) this.#context.wasted();
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
  'EXCESSIVE',
];

/** A reset that neither side asked for is `lost` with its session, or `cut` by a limit or the operator. */
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
