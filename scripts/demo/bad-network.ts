/**
 * A TCP relay between ingress and egress that breaks: after each of a list of byte counts it resets every connection
 * through it, in the middle of whatever is under way. What was in its buffers, and in the kernel's, is lost.
 */
import { once } from 'node:events';
import net, { type AddressInfo, type Server, type Socket } from 'node:net';

export class BadNetwork {
  /** How often it has broken. */
  breaks = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #breakAfter: number[];
  #carried = 0;

  private constructor(server: Server, breakAfter: readonly number[]) {
    this.#server = server;
    this.#breakAfter = [...breakAfter];
  }

  /** Leads to 127.0.0.1:`target`; `breakAfter` are bytes that came from there, in rising order. */
  static async open(target: number, breakAfter: readonly number[]): Promise<BadNetwork> {
    const server = net.createServer({ noDelay: true }, (near) =>
      network.#carry(near, net.connect({ port: target, host: '127.0.0.1', noDelay: true })),
    );
    const network = new BadNetwork(server, breakAfter);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return network;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #carry(near: Socket, far: Socket): void {
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(socket);
      socket.on('error', () => {
        /* it is closed next, and the other side with it */
      });
      socket.on('close', () => {
        this.#sockets.delete(socket);
        other.destroy();
      });
    }
    far.on('data', (chunk: Buffer) => this.#count(chunk.length));
    near.pipe(far);
    far.pipe(near);
  }

  #count(bytes: number): void {
    this.#carried += bytes;
    if (this.#breakAfter.length === 0 || this.#carried < this.#breakAfter[0]!) return;
    this.#breakAfter.shift();
    this.breaks++;
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }
}
