/**
 * `adit connect` as a real process, by a session of its own and by that of a running ingress.
 * Rule: a file has one egress and one ingress that lends its session, made when the first scenario needs them.
 */
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { type Egress, type Ingress, builtProgram, startEgress, startIngress } from './adit.ts';
import { sessionArguments } from './arguments.ts';
import { type Certificates, certificates } from './certificates.ts';
import { atEnd, temporaryFolder, within } from './scope.ts';
import { shared } from './shared.ts';

/** Arguments of `adit`, up to the destination. */
export type Way = readonly [how: string, args: () => Promise<readonly string[]>];

export interface Connecting {
  readonly files: Certificates;
  /** What a session of its own to an egress on this port takes. */
  session(egressPort: number): readonly string[];
  egress(): Promise<Egress>;
  readonly ways: readonly Way[];
}

export function connecting(): Connecting {
  const files = certificates();
  const alice = files.client('alice');
  const session = (egressPort: number): string[] => sessionArguments(files, alice, egressPort);
  const egress = shared(() => startEgress({ certificates: files }));
  const socket = shared(async () => (await lendingIngress(files, await egress())).socket);
  return {
    files,
    session,
    egress,
    ways: [
      ['a session of its own', async () => ['connect', ...session((await egress()).port)]],
      ['a running ingress', async () => ['connect', '--control-socket', await socket()]],
    ],
  };
}

/** An ingress that lends its session at a socket. */
export async function lendingIngress(
  files: Certificates,
  egress: Egress,
): Promise<Ingress & { readonly socket: string }> {
  const socket = join(temporaryFolder(), 'c');
  const ingress = await startIngress({
    certificates: files,
    egressPort: egress.port,
    to: {},
    flags: ['--control-socket', socket],
  });
  await ingress.process.event('listening');
  return { ...ingress, socket };
}

export interface Joined {
  readonly child: ChildProcessWithoutNullStreams;
  stderr(): string;
  /** Its status, or the signal that ended it. */
  ends(): Promise<number | string>;
  /** The first bytes of its standard output. */
  first(): Promise<string>;
  /** All of its standard output. */
  all(): Promise<string>;
}

/** Runs `adit` with pipes. */
export function joined(args: readonly string[]): Joined {
  const child = spawn(process.execPath, [builtProgram(), ...args]);
  atEnd(() => {
    child.kill('SIGKILL');
  });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  child.stdin.on('error', () => {
    /* its exit says so */
  });
  const stderr = (): string => said;
  const closed = once(child, 'close') as Promise<[number | null, string | null]>;
  const ended = closed.then(([code, signal]) => code ?? signal!);
  return {
    child,
    stderr,
    ends: () => within(60_000, 'the end of adit connect', ended, stderr),
    first: async () => {
      const early = ended.then((status) => {
        throw new Error(`adit connect ended with ${status} before it said anything`);
      });
      const chunk = once(child.stdout, 'data') as Promise<[Buffer]>;
      const [bytes] = await within(60_000, 'bytes of adit connect', Promise.race([chunk, early]), stderr);
      return bytes.toString();
    },
    all: async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of child.stdout) chunks.push(chunk as Buffer);
      return Buffer.concat(chunks).toString();
    },
  };
}
