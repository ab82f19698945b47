/**
 * Sockets that systemd opened and passed to this process: LISTEN_FDS, LISTEN_PID and LISTEN_FDNAMES, descriptors from 3
 * on.
 * Rule: they belong to the process of LISTEN_PID only. Malformed variables are an error, never a guess, and are removed
 * from the environment. Every name that an option asks for must have a socket, and every socket must be asked for: the
 * clients of one that nobody serves would hang.
 * Not here: listening.
 * Spec: sd_listen_fds(3), systemd.socket(5).
 */
import { AditError } from '../errors.ts';
import { safeText } from '../observe/safe-text.ts';

export interface PassedSocket {
  readonly fd: number;
  /** FileDescriptorName= of its unit. Several sockets may share one. */
  readonly name: string;
}

/** An address that names sockets of systemd. */
interface Activated {
  readonly kind: 'systemd';
  readonly name: string;
}

export interface Activation {
  readonly sockets: readonly PassedSocket[];
  /** Why there are no sockets; empty if there are some. */
  readonly none: string;
}

const variables = ['LISTEN_FDS', 'LISTEN_PID', 'LISTEN_FDNAMES', 'LISTEN_PIDFDID'] as const;
const firstFd = 3;

/** Takes what systemd passed to the process `pid`; the variables are gone afterwards. Throws ACTIVATION_INVALID. */
export function takeActivation(environment: Record<string, string | undefined>, pid: number): Activation {
  const { LISTEN_FDS: count, LISTEN_PID: owner, LISTEN_FDNAMES: names } = environment;
  for (const variable of variables) delete environment[variable];
  if (count === undefined || owner === undefined)
    return none('systemd handed over no sockets: the service has to be started by its .socket unit, or with it');
  if (owner !== String(pid))
    return none(
      `the sockets of systemd are for process ${safeText(owner)}, and this is ${pid}: ExecStart= has to start ` +
        'this program itself, or a script that ends in "exec"',
    );
  if (!/^[0-9]{1,4}$/.test(count))
    throw new AditError('ACTIVATION_INVALID', `LISTEN_FDS is "${safeText(count)}", which is not a number of sockets`);
  const named = names === undefined ? undefined : names.split(':');
  if (named && Number(count) > 0 && named.length !== Number(count))
    throw new AditError(
      'ACTIVATION_INVALID',
      `LISTEN_FDS says ${count} sockets, and LISTEN_FDNAMES has ${named.length} names`,
    );
  const sockets = Array.from({ length: Number(count) }, (_, at) => ({
    fd: firstFd + at,
    name: named?.[at] ?? 'unknown',
  }));
  return sockets.length > 0 ? { sockets, none: '' } : none('systemd handed over no sockets');
}

function none(reason: string): Activation {
  return { sockets: [], none: reason };
}

/** Checks that the addresses of the options and the passed sockets match. Throws ACTIVATION_INVALID. */
export function checkActivation(
  activation: Activation | undefined,
  addresses: readonly (Activated | { readonly kind: 'tcp' | 'unix' })[],
): void {
  const { sockets, none: reason } = activation ?? none('this process accepts no sockets from systemd');
  const asked = addresses.flatMap((at) => (at.kind === 'systemd' ? [at.name] : []));
  const wanted = asked.find((name) => sockets.every((socket) => socket.name !== name));
  if (wanted !== undefined)
    throw new AditError(
      'ACTIVATION_INVALID',
      `systemd:${safeText(wanted)} is not there: ${reason === '' ? `systemd handed over ${listed(sockets)}` : reason}`,
    );
  const idle = sockets.filter(({ name }) => !asked.includes(name));
  if (idle.length > 0)
    throw new AditError(
      'ACTIVATION_INVALID',
      `systemd handed over ${listed(idle)}, and no option listens there, so that its clients would wait for ` +
        `ever: name it as in --socks systemd:${safeText(idle[0]!.name)}, or take it out of the .socket unit`,
    );
}

function listed(sockets: readonly PassedSocket[]): string {
  return [...new Set(sockets.map(({ name }) => `"${safeText(name)}"`))].join(', ');
}
