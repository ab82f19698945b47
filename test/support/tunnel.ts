/**
 * A tunnel in one process over any pair of carriers: an app's socket, a relay, two session drivers, a relay, a
 * service's socket. No policy, no HELLO.
 * Rule: everything it makes is closed at the end of the file; what the relays said at their end can be asked for.
 */
import { once } from 'node:events';
import net from 'node:net';
import type { Carrier } from '@adit/shared/carrier/contract';
import { wireOfCode } from '@adit/shared/errors';
import { acceptPooled, connectPooled } from '@adit/shared/net/sockets';
import type { MuxStream } from '@adit/shared/protocol/mux/stream';
import { SessionDriver } from '@adit/shared/session/session-driver';
import { Relay, type RelayOutcome } from '@adit/shared/stream/relay';
import { atEnd } from './scope.ts';

export interface CarrierPair {
  readonly client: Carrier;
  readonly server: Carrier;
}

export interface TunnelOptions {
  /** What the service does with a connection; default: echo. */
  readonly serve?: (socket: net.Socket) => void;
  /** Instead of dialling the service. */
  readonly answer?: (stream: MuxStream, relay: Relay) => void;
  /** How sockets are read: into pooled buffers (default), or by their `data` events. */
  readonly reads?: 'pooled' | 'plain';
  readonly idleTimeoutMs?: number;
  readonly replayLimitBytes?: number;
  readonly resumable?: boolean;
}

type Side = 'client' | 'server';

/** Both ends of one session, a listener for apps and a service. */
export class Tunnel {
  readonly drivers: Record<Side, SessionDriver>;
  /** How streams ended, in order. */
  readonly outcomes: Record<Side, RelayOutcome[]> = { client: [], server: [] };
  /** How the session ended, and why carriers were lost. */
  readonly told: Record<Side, string[]> = { client: [], server: [] };
  readonly relays: Record<Side, Relay[]> = { client: [], server: [] };
  readonly #options: TunnelOptions;
  readonly #makePair: () => Promise<CarrierPair>;
  readonly #waiting = new Set<() => void>();
  #service!: net.Server;
  #listener!: net.Server;

  private constructor(makePair: () => Promise<CarrierPair>, options: TunnelOptions) {
    this.#makePair = makePair;
    this.#options = options;
    this.drivers = { client: this.#driver('client'), server: this.#driver('server') };
  }

  static async open(makePair: () => Promise<CarrierPair>, options: TunnelOptions = {}): Promise<Tunnel> {
    const tunnel = new Tunnel(makePair, options);
    tunnel.#service = await listening((socket) => (options.serve ?? echo)(socket));
    tunnel.#listener = await listening((socket) => tunnel.#accept(socket));
    await tunnel.attach();
    atEnd(() => {
      for (const side of ['client', 'server'] as const)
        tunnel.drivers[side].end({ code: 0, reason: 'the test is over' });
    });
    return tunnel;
  }

  /** A new carrier for both ends, from where each of them stands. */
  async attach(): Promise<void> {
    const { client, server } = await this.#makePair();
    for (const side of ['client', 'server'] as const) this.drivers[side].detach();
    const [ours, theirs] = [this.drivers.client.session.lane.position, this.drivers.server.session.lane.position];
    this.drivers.server.attach(server, ours, new Uint8Array(0));
    this.drivers.client.attach(client, theirs, new Uint8Array(0));
  }

  /** An app's connection to the listener; half-open allowed, paused. */
  async connect(): Promise<net.Socket> {
    const socket = net.connect({
      host: '127.0.0.1',
      port: (this.#listener.address() as net.AddressInfo).port,
      allowHalfOpen: true,
      noDelay: true,
    });
    socket.on('error', () => {
      /* looked for by who expects it */
    });
    atEnd(() => {
      socket.destroy();
    });
    await once(socket, 'connect');
    return socket;
  }

  /** The `count`-th outcome at a side, as soon as it is there. */
  async outcome(side: Side, count = 1): Promise<RelayOutcome> {
    await this.until(() => this.outcomes[side].length >= count);
    return this.outcomes[side][count - 1]!;
  }

  /** Resolves when the condition holds; asked again whenever a relay or a session tells something. */
  async until(holds: () => boolean): Promise<void> {
    while (!holds())
      await new Promise<void>((resolve) => {
        this.#waiting.add(resolve);
      });
  }

  #tell(): void {
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }

  #driver(role: Side): SessionDriver {
    const { replayLimitBytes = 1 << 20, resumable = true } = this.#options;
    const tell = (what: string): void => {
      this.told[role].push(what);
      this.#tell();
    };
    return new SessionDriver(
      {
        role,
        resumable,
        receiveWindow: 262_144,
        sendWindow: 262_144,
        maxStreams: 1_000,
        replayLimitBytes,
        pingAfterMs: 0,
        deadAfterMs: 60_000,
      },
      {
        opened: (stream) => this.#serve(stream),
        goaway: ({ reason }) => tell(`goaway: ${reason}`),
        lost: (reason) => tell(`lost: ${reason}`),
        ended: ({ reason }) => tell(`ended: ${reason}`),
      },
    );
  }

  #relay(side: Side, stream: MuxStream): Relay {
    const relay = new Relay(stream, {
      ended: (outcome) => {
        this.outcomes[side].push(outcome);
        this.#tell();
      },
    });
    this.relays[side].push(relay);
    this.#tell();
    return relay;
  }

  #accept(socket: net.Socket): void {
    const relay = this.#relay('client', this.drivers.client.session.open(new Uint8Array(0)));
    const { idleTimeoutMs = 0, reads = 'pooled' } = this.#options;
    relay.attach(reads === 'pooled' ? acceptPooled(socket) : { socket, reads: undefined }, { idleTimeoutMs });
  }

  #serve(stream: MuxStream): void {
    const relay = this.#relay('server', stream);
    const { answer, reads = 'pooled' } = this.#options;
    if (answer) {
      answer(stream, relay);
      return;
    }
    const address = this.#service.address() as net.AddressInfo;
    const dialled =
      reads === 'pooled'
        ? connectPooled({ host: '127.0.0.1', port: address.port })
        : {
            socket: net.connect({ host: '127.0.0.1', port: address.port, allowHalfOpen: true }).pause(),
            reads: undefined,
          };
    const failed = ({ message }: Error): void => {
      const refusal = { code: wireOfCode('CONNECTION_REFUSED'), reason: message };
      stream.refuse(refusal);
      relay.refused(refusal);
    };
    dialled.socket.on('error', failed).once('connect', () => {
      dialled.socket.off('error', failed);
      stream.accept(new Uint8Array(0));
      relay.attach(dialled, { idleTimeoutMs: 0 });
    });
  }
}

function echo(socket: net.Socket): void {
  socket.pipe(socket);
}

async function listening(serve: (socket: net.Socket) => void): Promise<net.Server> {
  const server = net.createServer({ pauseOnConnect: true, allowHalfOpen: true, noDelay: true }, (socket) => {
    socket.on('error', () => {
      /* looked for by who expects it */
    });
    atEnd(() => {
      socket.destroy();
    });
    serve(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  atEnd(() => {
    server.close();
  });
  return server;
}
