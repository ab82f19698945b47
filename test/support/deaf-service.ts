/**
 * A service on a Unix socket that accepts and never reads. The kernel takes less than 300 KiB for it, where it takes
 * megabytes for one of TCP.
 */
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { atEnd, temporaryFolder } from './scope.ts';

export interface DeafService {
  /** As a backend of the policy: `unix:/...`. */
  readonly at: string;
  /** Its connections, in the order in which they came. */
  readonly sockets: readonly Socket[];
}

export async function deafService(): Promise<DeafService> {
  const path = join(temporaryFolder(), 'deaf.sock');
  const sockets: Socket[] = [];
  const server = createServer({ pauseOnConnect: true, allowHalfOpen: true }, (socket) => {
    sockets.push(socket);
    socket.on('error', () => {
      /* the egress resets it at the end */
    });
  }).listen({ path, backlog: 1_024 });
  await once(server, 'listening');
  atEnd(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { at: `unix:${path}`, sockets };
}
