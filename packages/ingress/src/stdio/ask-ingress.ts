/**
 * Asks a running ingress, at its control socket, for a stream on its session.
 * Rule: the answer is undefined if nobody listens there; everything else but a yes is an error. The socket must belong
 * to us or to root: any other owner could read what is sent.
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

/** For an ingress that hangs, ms; one that works answers within its own --connect-timeout or the dial of its egress. */
const answerDeadlineMs = 600_000;

/**
 * Opens a stream; undefined if no ingress listens at the path. Rejects with the refusal of the ingress, INGRESS_GONE or
 * CONFIG_INVALID.
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
      `--control-socket: ${shown} belongs to another user (${stat.uid}), who could read what is sent`,
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
    // left behind by an ingress that was killed, or removed just now
    if (code === 'ECONNREFUSED' || code === 'ENOENT') return undefined;
    throw new AditError('INGRESS_GONE', `cannot connect to the control socket ${safeText(path)}: ${messageOf(error)}`, {
      cause: error,
    });
  }
  return socket.on('error', () => {
    /* arrives with `close` */
  });
}
