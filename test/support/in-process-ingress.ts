/**
 * An ingress in the test's own process, towards an egress of in-process.ts or anything else that listens.
 */
import { IngressAgent, type IngressOptions } from '@adit/ingress';
import { parseDestination } from '@adit/shared/protocol/destination';
import type { Certificates, KeyPair } from './certificates.ts';
import { memoryLog, type Line } from './in-process.ts';
import { atEnd } from './scope.ts';

export interface TestIngress {
  readonly agent: IngressAgent;
  /** The port of the one forward. */
  readonly port: number;
  readonly lines: Line[];
  until(match: (line: Line) => boolean): Promise<Line>;
  /** Settles with the link: undefined when stopped, the error when denied for good. */
  readonly running: Promise<unknown>;
}

/** Listens on a port of the kernel's choosing and forwards to `to`. */
export async function testIngress(
  { port, certs }: { port: number; certs: Certificates },
  pair: KeyPair,
  { to, ...options }: Partial<IngressOptions> & { to: string },
): Promise<TestIngress> {
  const { log, lines, until } = memoryLog();
  const destination = parseDestination(to);
  if (!destination.ok) throw new Error(destination.reason);
  const agent = new IngressAgent(
    {
      egress: [{ kind: 'address', host: '127.0.0.1', port }],
      select: 'priority',
      carrier: 'auto',
      wsPath: '/adit',
      headers: [],
      maxCarrierAgeMs: 0,
      maxReplayPerSession: 1 << 23,
      lanes: 1,
      cert: pair.cert,
      key: pair.key,
      ca: certs.ca,
      forwards: [
        { listen: { kind: 'tcp', host: '127.0.0.1', port: 0 }, destination: destination.value, spec: `0:${to}` },
      ],
      socks: [],
      httpProxy: [],
      mixed: [],
      sni: [],
      sniRoutes: [],
      tlsListen: [],
      tlsCerts: [],
      tlsKeys: [],
      tlsAlpn: [],
      transparent: [],
      printRules: false,
      connectTimeoutMs: 30_000,
      idleTimeoutMs: 0,
      drainTimeoutMs: 60_000,
      congestion: 'auto',
      reloadSignal: 'auto',
      logLevel: 'debug',
      logFormat: 'json',
      check: false,
      ...options,
    },
    { log, agent: 'test' },
  );
  atEnd(() => agent.close());
  await agent.start();
  const running = agent.run().catch((error: unknown) => error);
  return { agent, port: Number(agent.addresses[0]!.split(':').at(-1)), lines, until, running };
}
