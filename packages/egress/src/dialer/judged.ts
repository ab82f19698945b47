/**
 * The addresses of a host that were judged and may be reached, without dialling one: for whoever has somebody else
 * dial.
 * Rule: resolved once, within the time; every address is judged, and only those that passed come out.
 */
import { addressFamily } from '@adit/shared/protocol/destination';
import { refusal, type DialRequest } from './dial.ts';
import { dialError } from './failure.ts';
import { inTurns, systemResolve } from './resolve.ts';

export interface Judged {
  readonly address: string;
  readonly rule: string;
}

/**
 * In the order in which they are to be tried; one at least. Fails with DNS_FAILED, DNS_TIMEOUT, PEER_GONE, or the code
 * of the judge.
 */
export async function judgedAddresses(request: Omit<DialRequest, 'connect'>): Promise<readonly [Judged, ...Judged[]]> {
  const addresses = addressFamily(request.host) === 0 ? await resolved(request) : [request.host];
  const verdicts = addresses.map((address) => ({ address, permit: request.permit(address) }));
  const [first, ...more] = verdicts.flatMap(({ address, permit }) =>
    permit.allow ? [{ address, rule: permit.rule }] : [],
  );
  if (first === undefined) throw refusal(verdicts.map(({ permit }) => permit));
  return [first, ...more];
}

function resolved(request: Omit<DialRequest, 'connect'>): Promise<readonly string[]> {
  const { host, timeoutMs, signal, resolve: look = systemResolve } = request;
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abandoned);
    };
    const abandoned = (): void => {
      settle();
      reject(dialError('PEER_GONE', request, signal?.reason));
    };
    const timer = setTimeout(() => {
      settle();
      reject(dialError('DNS_TIMEOUT', request));
    }, timeoutMs);
    signal?.addEventListener('abort', abandoned, { once: true });
    if (signal?.aborted === true) return abandoned();
    look(host).then(
      (addresses) => {
        settle();
        if (addresses.length === 0)
          reject(dialError('DNS_FAILED', request, new Error('the resolver knows no address')));
        else resolve(inTurns(addresses));
      },
      (error: unknown) => {
        settle();
        reject(dialError('DNS_FAILED', request, error));
      },
    );
  });
}
