/**
 * Asks a running ingress, at its control socket, for a stream of its session.
 * Rule: nobody there means undefined, and everything else that is not a yes is an error. The socket has to be ours, or
 * root's: who else put one there would read along.
 */
import { once } from 'node:events';
import { lstatSync } from 'node:fs';
import net from 'node:net';
import type { Duplex } from 'node:stream';
import { AditError, isCode, messageOf } from '@adit/shared/errors';
import { drive } from '@adit/shared/net/drive';
import { safeText } from '@adit/shared/observe/safe-text';
import { awaitControlAnswer, controlRequest, maxControlBytes } from '@adit/shared/protocol/control';
import { type Destination, formatDestination } from '@adit/shared/protocol/destination';
import { ControlDuplex } from '../frontend/control-duplex.ts';

/**
 * An ingress answers when its egress has dialled, or its own --connect-timeout has passed: this is for one that hangs,
 * ms.
 */
const answerDeadlineMs = 600_000;

/**
 * The stream, or undefined where no ingress listens at the path. Rejects with the AditError that the ingress answers,
 * INGRESS_GONE or CONFIG_INVALID.
 */
export async function askIngress(
  path: string,
  destination: Destination,
  signal: AbortSignal,
): Promise<Duplex | undefined> {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return undefined;
  const shown = safeText(path);
  if (!stat.isSocket()) throw new AditError('CONFIG_INVALID', `--control-socket: ${shown} is not a socket`);
  if (process.getuid && stat.uid !== process.getuid() && stat.uid !== 0)
    throw new AditError(
      'CONFIG_INVALID',
      `--control-socket: ${shown} belongs to another user (${stat.uid}), who would read along`,
    );
  const socket = await connected(path);
  if (!socket) return undefined;
  const stop = (): void => {
    socket.destroy();
  };
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  const peer = `the ingress at ${shown}`;
  socket.write(controlRequest(formatDestination(destination)));
  const { value: refusal } = await drive(socket, awaitControlAnswer(), {
    deadlineMs: answerDeadlineMs,
    maxBytes: maxControlBytes,
    putBack: true,
    peer,
    codes: { timeout: 'INGRESS_GONE', closed: 'INGRESS_GONE', garbage: 'PROTOCOL_ERROR' },
  }).catch((error: unknown) => {
    socket.destroy();
    throw error;
  });
  if (!refusal) return new ControlDuplex(socket, peer);
  socket.destroy();
  throw new AditError(isCode(refusal.code) ? refusal.code : 'INTERNAL', safeText(refusal.reason, { maxLength: 1024 }));
}

async function connected(path: string): Promise<net.Socket | undefined> {
  const socket = net.connect({ path, allowHalfOpen: true });
  try {
    await once(socket, 'connect');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // left behind by one that was killed, or taken away this moment
    if (code === 'ECONNREFUSED' || code === 'ENOENT') return undefined;
    throw new AditError('INGRESS_GONE', `cannot connect to the control socket ${safeText(path)}: ${messageOf(error)}`, {
      cause: error,
    });
  }
  return socket.on('error', () => {
    /* arrives with `close` */
  });
}
