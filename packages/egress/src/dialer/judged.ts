/**
 * The addresses of a host that may be reached: resolved once, every one judged, only those that passed come out.
 * Rule: nothing is looked up twice, so that what was judged is what is dialled. A judge that throws gives INTERNAL: no
 * answer is a no, and the process lives.
 * Not here: dialling (dial.ts), what is permitted (the policy).
 */
import { AditError, type Refusal } from '@adit/shared/errors';
import { attempt } from '@adit/shared/net/attempt';
import type { Deadline } from '@adit/shared/net/deadline';
import { addressFamily } from '@adit/shared/protocol/destination';
import { dialError, queueFullError, type Target } from './failure.ts';
import { QueueFull } from './look-ups.ts';
import { inTurns, systemResolve, type Resolve } from './resolve.ts';

/** What a judge of addresses answers. */
export type Permit = { readonly allow: true; readonly rule: string } | (Required<Refusal> & { readonly allow: false });

export interface JudgeRequest extends Target {
  readonly deadline: Deadline;
  /** Ends the look-up, which then rejects with PEER_GONE. */
  readonly signal?: AbortSignal;
  /** Asked once about every address. */
  readonly permit: (address: string) => Permit;
  /** Another resolver than the system's: of the egress, with its queue before it. */
  readonly resolve?: Resolve | undefined;
}

export interface Judged {
  readonly address: string;
  readonly rule: string;
}

/** In the order in which they are to be tried. */
export type JudgedAddresses = readonly [Judged, ...Judged[]];

/** Is the target an address or a socket, which needs no look-up? */
export function isLiteral({ host, unix }: Target): boolean {
  return unix === true || addressFamily(host) !== 0;
}

/** Resolves and judges. Fails with DNS_FAILED, DNS_TIMEOUT, OVERLOAD, PEER_GONE, or as `judge` does. */
export async function judgedAddresses(request: JudgeRequest): Promise<JudgedAddresses> {
  return judge(request, isLiteral(request) ? [request.host] : await resolved(request));
}

/** Those that pass. Fails with the code of the judge where none does, and with INTERNAL when it throws. */
export function judge(request: Target & Pick<JudgeRequest, 'permit'>, addresses: readonly string[]): JudgedAddresses {
  const passed: Judged[] = [];
  const refusals: Required<Refusal>[] = [];
  for (const address of addresses) {
    const permit = permitOf(request, address);
    if (permit.allow) passed.push({ address, rule: permit.rule });
    else refusals.push(permit);
  }
  const [first, ...more] = passed;
  if (first === undefined) throw refused(refusals);
  return [first, ...more];
}

function permitOf(request: Target & Pick<JudgeRequest, 'permit'>, address: string): Permit {
  try {
    return request.permit(address);
  } catch (error) {
    throw dialError('INTERNAL', request, error);
  }
}

/**
 * Every address was refused: the judge's words, and for the log those about every address. A prohibited address says
 * more than a plain no.
 */
function refused(refusals: readonly Required<Refusal>[]): AditError {
  const { code, reason } = refusals.find((refusal) => refusal.code === 'ADDRESS_PROHIBITED') ?? refusals[0]!;
  return new AditError(code, reason, {
    cause: new Error([...new Set(refusals.map(({ detail }) => detail))].join('; ')),
  });
}

async function resolved(request: JudgeRequest): Promise<readonly string[]> {
  const { host, deadline, signal, resolve = systemResolve } = request;
  const gone = new AbortController();
  const addresses = await attempt<readonly string[]>(
    {
      deadline,
      signal,
      timedOut: () => dialError('DNS_TIMEOUT', request),
      aborted: () => dialError('PEER_GONE', request, signal?.reason),
      giveUp: () => gone.abort(notWanted),
    },
    ({ succeed, fail }) => {
      // also a resolver that throws has failed
      const lookUp = async (): Promise<readonly string[]> => resolve(host, gone.signal);
      lookUp().then(succeed, (error: unknown) =>
        fail(error instanceof QueueFull ? queueFullError(request, error) : dialError('DNS_FAILED', request, error)),
      );
    },
  );
  if (addresses.length === 0) throw dialError('DNS_FAILED', request, new Error('the resolver returned no address'));
  return inTurns(addresses);
}

/** A reason of our own, because the default one is an exception with its stack. */
const notWanted = 'the answer is not wanted any more';
