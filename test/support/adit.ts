/**
 * The built `adit` as real processes: an egress, an ingress, or both as a tunnel.
 * Rule: readiness and ports come from the log events; at the end each process drains, exits 0 and has written nothing
 * but JSON lines.
 */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { egressArguments, sessionArguments, tested } from './arguments.ts';
import { type Certificates, type KeyPair, certificates } from './certificates.ts';
import { Child, type Finished, type StartOptions, run } from './child.ts';
import { atEnd } from './scope.ts';

const root = join(import.meta.dirname, '..', '..');
const built = join(root, 'packages', 'cli', 'dist', 'main.js');

export interface LogLine {
  readonly event?: string;
  readonly [field: string]: unknown;
}
type Match = Readonly<Record<string, unknown>> | ((line: LogLine) => boolean);

export interface AditOptions extends StartOptions {
  /** The program `adit` of another version; default: what this tree builds. */
  readonly program?: string;
}

export class AditProcess extends Child {
  #parsed = 0;
  readonly #log: LogLine[] = [];
  #expected: number | 'killed' = 0;

  constructor(args: readonly string[], { program = builtProgram(), ...options }: AditOptions = {}) {
    super(process.execPath, [program, ...args], { name: `adit ${args[0]}`, ...options });
    atEnd(() => this.#checkEnd());
  }

  /** Every line of its log so far. */
  get log(): readonly LogLine[] {
    for (; this.#parsed < this.lines.length; this.#parsed++) {
      const line = this.lines[this.#parsed]!;
      try {
        this.#log.push(JSON.parse(line) as LogLine);
      } catch {
        this.#log.push({ stray: line });
      }
    }
    return this.#log;
  }

  /** Forgets the log so far, for a test that runs for long. */
  forgetLog(): void {
    this.lines.length = this.#log.length = this.#parsed = 0;
  }

  /** The log lines of an event so far. */
  all(event: string, match: Match = {}): LogLine[] {
    return this.log.filter((line) => line.event === event && fits(line, match));
  }

  /** The `nth` (from 1) line of an event, past or future. */
  event(
    event: string,
    match: Match = {},
    { nth = 1, ms }: { readonly nth?: number; readonly ms?: number } = {},
  ): Promise<LogLine> {
    return this.until(
      `event ${event}${typeof match === 'object' ? ` ${JSON.stringify(match)}` : ''}`,
      () => this.all(event, match)[nth - 1],
      ms,
    );
  }

  /** Waits for the end by itself. */
  async ends(status: number): Promise<void> {
    this.#expected = status;
    await this.until(`exit with ${status}`, () => (this.running ? undefined : true));
    const { code } = await this.exit;
    if (code !== status) throw new Error(`${this.name} exited with ${code}, not ${status}\n${this.output}`);
  }

  /** SIGKILL, on purpose. */
  override kill() {
    this.#expected = 'killed';
    return super.kill();
  }

  /** Resident memory in bytes. */
  async residentBytes(): Promise<number> {
    return Number((await run('ps', ['-o', 'rss=', '-p', String(this.pid)])).stdout) * 1024;
  }

  async #checkEnd(): Promise<void> {
    if (this.#expected === 'killed') return;
    // Runs before Child's own clean-up, which comes later in reverse order.
    const { code, signal } = await this.stop();
    if (code !== this.#expected)
      throw new Error(`${this.name} exited with ${code ?? signal}, not ${this.#expected}\n${this.output}`);
    const stray = this.log.filter((line) => 'stray' in line);
    if (stray.length > 0)
      throw new Error(`${this.name} wrote what is no log line:\n${stray.map((line) => line['stray']).join('\n')}`);
  }
}

function fits(line: LogLine, match: Match): boolean {
  return typeof match === 'function'
    ? match(line)
    : Object.entries(match).every(([field, value]) =>
        value instanceof RegExp ? value.test(String(line[field])) : line[field] === value,
      );
}

/** The built program. */
export function builtProgram(): string {
  if (!existsSync(built)) throw new Error(`${built} is missing: run "npm run build" first.`);
  return built;
}

/** Runs `adit` to its end. */
export function adit(args: readonly string[], options: Parameters<typeof run>[2] = {}): Promise<Finished> {
  return run(process.execPath, [builtProgram(), ...args], options);
}

/** The port of a `listening` event. */
export function portOf(line: LogLine): number {
  return Number(/:(\d+)$/.exec(String(line['address']))?.[1]);
}

/** A port of 127.0.0.1 where a process listens, as soon as it does: the first that matches. */
export async function listeningPort(process: AditProcess, match: Match): Promise<number> {
  return portOf(await process.event('listening', match));
}

export interface EgressOptions {
  readonly certificates: Certificates;
  /** Text of policy.yaml, or the path of one. */
  readonly policy?: string;
  /** The address that it listens on; default 127.0.0.1. */
  readonly host?: string;
  readonly port?: number;
  readonly flags?: readonly string[];
  readonly process?: AditOptions;
}
export interface Egress {
  readonly process: AditProcess;
  readonly port: number;
  readonly policyFile: string;
}

/** Lets alice reach everything on 127.0.0.1. */
export const openPolicy = policyOf({ allow: ['127.0.0.1:*'] });

/** A policy of one rule for alice. */
export function policyOf({
  identities = ['alice'],
  allow = [],
  deny = [],
  services = {},
}: {
  readonly identities?: readonly string[];
  readonly allow?: readonly string[];
  readonly deny?: readonly string[];
  readonly services?: Readonly<Record<string, string>>;
}): string {
  return JSON.stringify({
    version: 1,
    services,
    rules: [{ name: 'the-rule', identities, allow, ...(deny.length > 0 && { deny }) }],
  });
}

/** Starts an egress and waits until it listens. */
export async function startEgress({
  certificates: files,
  policy = openPolicy,
  host = '127.0.0.1',
  port = 0,
  flags = [],
  process: options,
}: EgressOptions): Promise<Egress> {
  const policyFile = policy.includes('\n') || policy.startsWith('{') ? join(files.folder, 'policy.yaml') : policy;
  if (policyFile !== policy) writeFileSync(policyFile, policy);
  const child = new AditProcess(
    ['egress', ...egressArguments(files, policyFile, `${host}:${port}`), ...testing(flags), ...flags],
    options,
  );
  return { process: child, port: portOf(await child.event('listening')), policyFile };
}

export interface IngressOptions {
  readonly certificates: Certificates;
  readonly egressPort: number;
  /** Instead of 127.0.0.1 and that port, as `--egress` takes it. */
  readonly egress?: string;
  /**
   * Destinations by a name of the test's choosing: `{ web: '127.0.0.1:8080' }`; each gets a port of its own on
   * 127.0.0.1.
   */
  readonly to: Readonly<Record<string, string>>;
  readonly client?: KeyPair;
  readonly flags?: readonly string[];
  readonly process?: AditOptions;
}
export interface Ingress {
  readonly process: AditProcess;
  readonly ports: Readonly<Record<string, number>>;
}

/** Starts an ingress and waits until it listens (not until it is connected). */
export async function startIngress({
  certificates: files,
  egressPort,
  egress = `127.0.0.1:${egressPort}`,
  to,
  client = files.client('alice'),
  flags = [],
  process: options,
}: IngressOptions): Promise<Ingress> {
  const forwards = Object.entries(to).map(([name, destination]) => ({ name, spec: `127.0.0.1:0:${destination}` }));
  const child = new AditProcess(
    [
      'ingress',
      ...sessionArguments(files, client, egress),
      ...testing(flags),
      ...forwards.flatMap(({ spec }) => ['-L', spec]),
      ...flags,
    ],
    options,
  );
  const ports: Record<string, number> = {};
  for (const [at, { name }] of forwards.entries())
    ports[name] = portOf(await child.event('listening', {}, { nth: at + 1 }));
  return { process: child, ports };
}

export interface TunnelOptions {
  readonly to: Readonly<Record<string, string>>;
  readonly policy?: string;
  readonly egress?: Partial<EgressOptions>;
  readonly ingress?: Partial<IngressOptions>;
}
export interface Tunnel {
  readonly certificates: Certificates;
  readonly egress: Egress;
  readonly ingress: Ingress;
  port(name: string): number;
}

/** Both halves, connected. */
export async function openTunnel({
  to,
  policy,
  egress: egressOptions = {},
  ingress: ingressOptions = {},
}: TunnelOptions): Promise<Tunnel> {
  const files = egressOptions.certificates ?? certificates();
  const egress = await startEgress({ certificates: files, ...(policy !== undefined && { policy }), ...egressOptions });
  return connectIngress(egress, { certificates: files, egressPort: egress.port, to, ...ingressOptions });
}

/** The half that an egress lacks, connected to it. */
export async function connectIngress(egress: Egress, options: IngressOptions): Promise<Tunnel> {
  const ingress = await startIngress(options);
  await ingress.process.event('connected');
  return { certificates: options.certificates, egress, ingress, port: (name) => portNamed(ingress, name) };
}

/** The port of 127.0.0.1 that is forwarded under this name. */
export function portNamed({ ports }: Ingress, name: string): number {
  const port = ports[name];
  if (port === undefined) throw new Error(`no forward is called ${name}`);
  return port;
}

/** A log in JSON, and a drain that takes no longer than a second unless the flags say it. */
function testing(flags: readonly string[]): readonly string[] {
  return flags.includes('--drain-timeout') ? tested.slice(0, 2) : tested;
}
