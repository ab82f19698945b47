/**
 * A proxy of a few lines, for answers that no real one gives: it says what it is told to, in pieces of any size, and
 * may then relay.
 * Rule: not a model of a proxy; squid, tinyproxy and dante are started for that.
 */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import tls from 'node:tls';
import { atEnd } from './scope.ts';

export interface SmallProxy {
  readonly port: number;
  /** What each connection said first. */
  readonly asked: string[];
}

export interface SmallProxyOptions {
  /** To each question, the next of these; latin1. After the last one, bytes are relayed where there is somewhere to. */
  readonly answers: readonly string[];
  readonly relayTo?: number;
  /** Ends TLS first. */
  readonly tls?: tls.TlsOptions;
  /** Ends the connection after the last answer. */
  readonly end?: boolean;
}

/** Starts one on a port of the kernel's choosing. */
export async function smallProxy({
  answers,
  relayTo,
  tls: tlsOptions,
  end = false,
}: SmallProxyOptions): Promise<SmallProxy> {
  const asked: string[] = [];
  const sockets = new Set<Socket>();
  const serve = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
    let turn = 0;
    const hear = (chunk: Buffer): void => {
      asked.push(chunk.toString('latin1'));
      socket.write(answers[turn++]!, 'latin1');
      if (turn < answers.length) return;
      socket.off('data', hear);
      if (end) socket.end();
      else if (relayTo !== undefined) relay(socket, relayTo);
    };
    if (answers.length > 0) socket.on('data', hear);
    else if (end) socket.end();
  };
  const server: Server = tlsOptions
    ? tls.createServer({ allowHalfOpen: true, ...tlsOptions } as tls.TlsOptions, serve)
    : createServer({ allowHalfOpen: true, noDelay: true }, serve);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  atEnd(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return { port: (server.address() as AddressInfo).port, asked };
}

function relay(near: Socket, port: number): void {
  const far = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
  far.on('error', () => near.destroy()).on('close', () => near.destroy());
  near.on('close', () => far.destroy());
  near.pipe(far);
  far.pipe(near);
}
