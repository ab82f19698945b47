/**
 * From a host and port to one connected socket: resolve once, have every address judged, race those that passed.
 * Rule: the address checked is the address dialled: `connect` gets the literal that `permit` allowed, and nothing is
 * looked up twice. One deadline covers all of it. Whatever the outcome, no socket, timer or listener of a lost attempt
 * is left.
 * Not here: what is permitted (the policy), how the socket reads (its maker).
 */
import type { Socket } from 'node:net';
import { AditError, type Code } from '@adit/shared/errors';
import { addressFamily } from '@adit/shared/protocol/destination';
import { allFailed, dialError, type Target } from './failure.ts';
import { Race } from './race.ts';
import { inTurns, systemResolve, type Resolve } from './resolve.ts';

/** What a judge of addresses answers. `reason` is safe for the client, `detail` is for the log. */
export type Permit =
  | { readonly allow: true; readonly rule: string }
  | { readonly allow: false; readonly code: Code; readonly reason: string; readonly detail: string };

export interface DialRequest extends Target {
  /** For resolving and connecting together. */
  readonly timeoutMs: number;
  /** Ends the dial; it then rejects with PEER_GONE. */
  readonly signal?: AbortSignal;
  /** Asked once about every address, before anything is dialled. */
  readonly permit: (address: string) => Permit;
  /** Makes a socket that is connecting to exactly this address; the dialer owns it until the promise resolves. */
  readonly connect: (address: string, port: number) => Socket;
  /** Another resolver than the system's. */
  readonly resolve?: Resolve;
}

export interface Dialled {
  readonly socket: Socket;
  readonly address: string;
  readonly rule: string;
}

/**
 * Dials. An address literal is dialled before the call returns. The socket is handed over connected, with nothing read
 * from it. Fails with DNS_FAILED, DNS_TIMEOUT, CONNECTION_REFUSED, HOST_UNREACHABLE, NETWORK_UNREACHABLE, DIAL_TIMEOUT,
 * OVERLOAD, PEER_GONE (the signal), or the code of the judge (POLICY_DENIED, ADDRESS_PROHIBITED) when it refuses every
 * address.
 */
export function dial(request: DialRequest): Promise<Dialled> {
  return new Promise((resolve, reject) => {
    new Dial(request, resolve, reject).start();
  });
}

class Dial {
  readonly #request: DialRequest;
  readonly #resolve: (dialled: Dialled) => void;
  readonly #reject: (error: unknown) => void;
  readonly #abandoned = (): void => this.#fail(dialError('PEER_GONE', this.#request, this.#request.signal?.reason));
  #deadline: NodeJS.Timeout | undefined;
  #race: Race | undefined;
  #done = false;

  constructor(request: DialRequest, resolve: (dialled: Dialled) => void, reject: (error: unknown) => void) {
    this.#request = request;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  start(): void {
    const { host, unix, timeoutMs, signal } = this.#request;
    if (signal?.aborted === true) return this.#abandoned();
    signal?.addEventListener('abort', this.#abandoned, { once: true });
    this.#deadline = setTimeout(
      () => this.#fail(dialError(this.#race === undefined ? 'DNS_TIMEOUT' : 'DIAL_TIMEOUT', this.#request)),
      timeoutMs,
    );
    if (unix === true || addressFamily(host) !== 0) this.#judge([host]);
    else void this.#lookUp(host);
  }

  async #lookUp(host: string): Promise<void> {
    let addresses: readonly string[];
    try {
      addresses = await (this.#request.resolve ?? systemResolve)(host);
    } catch (error) {
      return this.#fail(dialError('DNS_FAILED', this.#request, error));
    }
    if (this.#done) return;
    if (addresses.length === 0)
      this.#fail(dialError('DNS_FAILED', this.#request, new Error('the resolver knows no address')));
    else this.#judge(inTurns(addresses));
  }

  /** Asks about every address and races those that passed. A judge that throws fails the dial: no answer is a no. */
  #judge(addresses: readonly string[]): void {
    try {
      const verdicts = addresses.map((address) => ({ address, permit: this.#request.permit(address) }));
      const rules = new Map(
        verdicts.flatMap(({ address, permit }) => (permit.allow ? [[address, permit.rule] as const] : [])),
      );
      if (rules.size > 0) this.#dial(rules);
      else this.#fail(refusal(verdicts.map(({ permit }) => permit)));
    } catch (error) {
      this.#fail(dialError('INTERNAL', this.#request, error));
    }
  }

  #dial(rules: ReadonlyMap<string, string>): void {
    const { connect, port } = this.#request;
    this.#race = new Race([...rules.keys()], {
      connect,
      port,
      won: (socket, address) => {
        if (this.#settle()) this.#resolve({ socket, address, rule: rules.get(address)! });
      },
      lost: (attempts) => this.#fail(allFailed(this.#request, attempts)),
    });
    this.#race.start();
  }

  #fail(error: AditError): void {
    if (!this.#settle()) return;
    this.#race?.stop();
    this.#reject(error);
  }

  /** True once. */
  #settle(): boolean {
    if (this.#done) return false;
    this.#done = true;
    clearTimeout(this.#deadline);
    this.#request.signal?.removeEventListener('abort', this.#abandoned);
    return true;
  }
}

/**
 * Every address was refused: the judge's words, and for the log every address's. A prohibited address says more than a
 * plain no.
 */
export function refusal(permits: readonly Permit[]): AditError {
  const refused = permits.filter((permit) => !permit.allow);
  const { code, reason } = refused.find((permit) => permit.code === 'ADDRESS_PROHIBITED') ?? refused[0]!;
  return new AditError(code, reason, {
    cause: new Error([...new Set(refused.map(({ detail }) => detail))].join('; ')),
  });
}
