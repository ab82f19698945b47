/**
 * Both ends in the test's own process, for unit tests of how they are put together: real sockets, real TLS, no child
 * processes.
 * Rule: everything is closed at the end of the file; what was logged and recorded can be asked for.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Carrier } from '@adit/shared/carrier/contract';
import { dialTls } from '@adit/shared/carrier/tls';
import { loadCredentials } from '@adit/shared/identity/credentials';
import { loadTrustAnchors } from '@adit/shared/identity/trust';
import type { AccessRecord } from '@adit/shared/observe/access-record';
import { createLogger, type Logger } from '@adit/shared/observe/logger';
import { parseDestination } from '@adit/shared/protocol/destination';
import type { MuxStream } from '@adit/shared/protocol/mux/stream';
import { encodeOpen } from '@adit/shared/protocol/open';
import { type Connected, connectSession, type SessionSecret } from '@adit/shared/session/connect';
import { SessionDriver } from '@adit/shared/session/session-driver';
import { Relay, type RelayOutcome } from '@adit/shared/stream/relay';
import { EgressServer, type EgressOptions } from '@adit/egress';
import { certificates, type Certificates, type KeyPair } from './certificates.ts';
import { atEnd } from './scope.ts';

export interface Line {
  readonly event: string;
  readonly [field: string]: unknown;
}

/** A logger that keeps its lines. */
export function memoryLog(): { log: Logger; lines: Line[]; until(match: (line: Line) => boolean): Promise<Line> } {
  const lines: Line[] = [];
  const waiting: { match: (line: Line) => boolean; resolve: (line: Line) => void }[] = [];
  const log = createLogger({
    level: 'debug',
    format: 'json',
    name: 'test',
    destination: {
      write: (text) => {
        const line = JSON.parse(text) as Line;
        lines.push(line);
        for (const waiter of waiting.filter(({ match }) => match(line))) {
          waiting.splice(waiting.indexOf(waiter), 1);
          waiter.resolve(line);
        }
      },
    },
  });
  return {
    log,
    lines,
    until: (match) =>
      new Promise((resolve) => {
        const found = lines.find(match);
        if (found) resolve(found);
        else waiting.push({ match, resolve });
      }),
  };
}

export interface TestEgress {
  readonly server: EgressServer;
  readonly port: number;
  readonly certs: Certificates;
  readonly lines: Line[];
  readonly records: AccessRecord[];
  readonly policyFile: string;
  until(match: (line: Line) => boolean): Promise<Line>;
  recorded(match?: (record: AccessRecord) => boolean): Promise<AccessRecord>;
}

export const allowLoopback =
  'version: 1\nrules:\n  - name: everyone\n    identities: ["*"]\n    allow: ["127.0.0.1:*"]\n';

/** An egress on a port of the kernel's choosing. */
export async function testEgress({
  policy = allowLoopback,
  certs = certificates(),
  ...options
}: Partial<EgressOptions> & { policy?: string; certs?: Certificates } = {}): Promise<TestEgress> {
  const policyFile = join(certs.folder, 'policy.yaml');
  writeFileSync(policyFile, policy);
  const { log, lines, until } = memoryLog();
  const records: AccessRecord[] = [];
  const waiting: (() => void)[] = [];
  const server = new EgressServer(
    {
      listen: [{ listen: { kind: 'tcp', host: '127.0.0.1', port: 0 }, spec: '127.0.0.1:0' }],
      listenHttp: [],
      wsPath: '/adit',
      acceptProxyProtocol: [],
      cert: certs.egress.cert,
      key: certs.egress.key,
      clientCa: certs.ca,
      handshakeTimeoutMs: 30_000,
      dialTimeoutMs: 30_000,
      idleTimeoutMs: 0,
      drainTimeoutMs: 60_000,
      congestion: 'auto',
      reloadSignal: 'auto',
      maxStreams: 1_000,
      maxStreamsPerIdentity: 100,
      maxSessionsPerIdentity: 4,
      maxFailedStreamsPerIdentity: 500,
      maxWaitingPerIdentity: 1 << 28,
      maxHandshakes: 64,
      resumeWindowMs: 60_000,
      maxDetachedPerIdentity: 4,
      maxReplayPerSession: 1 << 23,
      maxLanesPerSession: 8,
      maxReplayPerIdentity: 1 << 26,
      maxReplay: 1 << 29,
      logLevel: 'debug',
      logFormat: 'json',
      check: false,
      ...options,
      policy: policyFile,
    },
    {
      log,
      agent: 'test',
      record: (record) => {
        records.push(record);
        for (const wake of waiting.splice(0)) wake();
      },
    },
  );
  atEnd(() => server.close());
  await server.start();
  const recorded = async (match: (record: AccessRecord) => boolean = () => true): Promise<AccessRecord> => {
    for (;;) {
      const found = records.find(match);
      if (found) return found;
      await new Promise<void>((resolve) => waiting.push(resolve));
    }
  };
  return {
    server,
    port: Number(server.addresses[0]!.split(':').at(-1)),
    certs,
    lines,
    records,
    policyFile,
    until,
    recorded,
  };
}

/** An authenticated carrier to an egress. */
export function testCarrier({ port, certs }: { port: number; certs: Certificates }, pair: KeyPair): Promise<Carrier> {
  return dialTls({
    host: '127.0.0.1',
    port,
    serverName: '127.0.0.1',
    credentials: loadCredentials({ cert: pair.cert, key: pair.key, role: 'client' }),
    ca: loadTrustAnchors(certs.ca),
    deadlineMs: 30_000,
    signal: new AbortController().signal,
  });
}

export interface TestSession {
  readonly driver: SessionDriver;
  readonly carrier: Carrier;
  readonly connected: Connected;
  readonly ended: Promise<string>;
  readonly lost: Promise<string>;
}

/** A whole session as an ingress would have it. */
export async function testSession(
  egress: { port: number; certs: Certificates },
  pair: KeyPair,
  { lanes = false } = {},
): Promise<TestSession> {
  const carrier = await testCarrier(egress, pair);
  const connected = await connectSession(carrier, { window: 262_144, agent: 'test', deadlineMs: 30_000, lanes }).catch(
    (error: unknown) => {
      carrier.duplex.destroy();
      throw error;
    },
  );
  let end!: (reason: string) => void;
  let lose!: (reason: string) => void;
  const ended = new Promise<string>((resolve) => {
    end = resolve;
  });
  const lost = new Promise<string>((resolve) => {
    lose = resolve;
  });
  const driver = new SessionDriver(
    {
      role: 'client',
      resumable: true,
      lanes: connected.welcome.lanes,
      receiveWindow: 262_144,
      sendWindow: connected.welcome.window,
      maxStreams: 0,
      replayLimitBytes: 1 << 22,
      pingAfterMs: 0,
      deadAfterMs: 60_000,
    },
    {
      opened: () => {
        throw new Error('an egress opens no streams');
      },
      goaway: ({ reason }) => end(`goaway: ${reason}`),
      lost: lose,
      ended: ({ reason }) => end(reason),
    },
  );
  driver.attach(carrier, connected.welcome.position, connected.rest);
  atEnd(() => driver.end({ code: 0, reason: 'the test is over' }));
  return { driver, carrier, connected, ended, lost };
}

/** Opens a stream and keeps what happens to it. */
export function testStream(
  session: TestSession,
  to: string,
): { stream: MuxStream; relay: Relay; opened: Promise<void>; ended: Promise<RelayOutcome> } {
  const destination = parseDestination(to);
  if (!destination.ok) throw new Error(destination.reason);
  const stream = session.driver.session.open(
    encodeOpen({ destination: destination.value, frontEnd: 'forward', client: 'local' }),
  );
  let open!: () => void;
  let end!: (outcome: RelayOutcome) => void;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  const ended = new Promise<RelayOutcome>((resolve) => {
    end = resolve;
  });
  const relay = new Relay(stream, { opened: open, ended: end });
  return { stream, relay, opened, ended };
}

/** Adds a lane as an ingress would; fails with the refusal. */
export async function testLane(
  egress: { port: number; certs: Certificates },
  session: TestSession,
  options: { pair?: KeyPair; secret?: SessionSecret; lane: number },
): Promise<Carrier> {
  const carrier = await testCarrier(egress, options.pair ?? egress.certs.client('alice'));
  const { rest } = await connectSession(carrier, {
    window: 262_144,
    agent: 'test',
    deadlineMs: 30_000,
    add: { ...(options.secret ?? session.connected.secret), lane: options.lane },
  }).catch((error: unknown) => {
    carrier.duplex.destroy();
    throw error;
  });
  session.driver.addLane(options.lane, carrier, rest);
  return carrier;
}

/** Attaches a new carrier as an ingress would that resumes; fails with the refusal. */
export async function testResume(
  egress: TestEgress,
  session: TestSession,
  options: { pair?: KeyPair; secret?: SessionSecret; epoch: number },
): Promise<void> {
  const carrier = await testCarrier(egress, options.pair ?? egress.certs.client('alice'));
  const { welcome, rest } = await connectSession(carrier, {
    window: 262_144,
    agent: 'test',
    deadlineMs: 30_000,
    resume: {
      ...(options.secret ?? session.connected.secret),
      epoch: options.epoch,
      position: session.driver.session.lane.position,
    },
  }).catch((error: unknown) => {
    carrier.duplex.destroy();
    throw error;
  });
  session.driver.attach(carrier, welcome.position, rest);
}
