/**
 * The main job of Adit with one installed program: a CA, an egress, an ingress, and bytes both ways, by their hash.
 * Rule: every command is the program under test, where it was installed; only the service and its client are here.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { Child, succeed, type StartOptions } from './child.ts';
import { patternHash, pattern } from './pattern.ts';
import { within } from './scope.ts';
import { client, echo } from './services.ts';
import { sha256 } from './sha256.ts';

export interface Installed {
  /** Everything before the arguments of `adit`. */
  readonly command: readonly string[];
  /** The commands of the halves, if they are not `adit egress` and `adit ingress`. */
  readonly egress?: readonly string[];
  readonly ingress?: readonly string[];
  /** An empty folder that the program may write to: here, and as the program sees it. */
  readonly here: string;
  readonly there: string;
  readonly env?: StartOptions['env'];
  readonly megabytes?: number;
}

const patienceMs = 120_000; // an emulated start takes seconds

export async function doesTheMainJob(installed: Installed): Promise<void> {
  const { command, here, there, megabytes = 16 } = installed;
  const options = { ...(installed.env !== undefined && { env: installed.env }) };
  const adit = async (...args: string[]): Promise<string> => {
    const [program, ...rest] = [...command, ...args] as [string, ...string[]];
    return (await succeed(program, rest, { ...options, timeoutMs: patienceMs })).stdout;
  };
  const ca = ['--dir', `${there}/ca`];
  await adit('ca', 'init', ...ca, '--trust-domain', 'example.org');
  await adit('ca', 'issue', 'egress', 'edge', ...ca, '--out', there, '--host', '127.0.0.1');
  await adit('ca', 'issue', 'client', 'alice', ...ca, '--out', there, '--group', 'developers');

  const service = await echo();
  const rules = [{ name: 'all', identities: ['group:developers'], allow: [`127.0.0.1:${service.port}`] }];
  writeFileSync(join(here, 'policy.yaml'), JSON.stringify({ version: 1, rules }), { mode: 0o644 });
  const log = ['--log-format', 'json'];
  const start = (half: readonly string[], args: readonly string[]): Child => {
    const [program, ...rest] = [...half, ...args, ...log] as [string, ...string[]];
    return new Child(program, rest, { ...options, name: half.slice(-2).join(' ') });
  };
  const trust = `${there}/ca.crt`;
  const egress = start(installed.egress ?? [...command, 'egress'], [
    ...['--listen', '127.0.0.1:0', '--cert', `${there}/edge.crt`, '--key', `${there}/edge.key`],
    ...['--client-ca', trust, '--policy', `${there}/policy.yaml`],
  ]);
  const [, port] = await egress.line(/"event":"listening","address":"127\.0\.0\.1:(\d+)"/, patienceMs);
  const ingress = start(installed.ingress ?? [...command, 'ingress'], [
    ...['--egress', `127.0.0.1:${port}`, '--cert', `${there}/alice.crt`, '--key', `${there}/alice.key`],
    ...['--ca', trust, '-L', `127.0.0.1:0:127.0.0.1:${service.port}`],
  ]);
  const [, local] = await ingress.line(/"event":"listening",.*"address":"127\.0\.0\.1:(\d+)"/, patienceMs);
  await ingress.line(/"event":"connected"/, patienceMs);

  const { socket, received } = await client(Number(local));
  socket.end(Buffer.concat([...pattern(megabytes)]));
  const { bytes, ending } = await within(patienceMs, 'the bytes back', received);
  expect({ ending, hash: sha256(bytes) }).toEqual({ ending: 'end', hash: patternHash(megabytes) });
  for (const half of [ingress, egress]) expect(await half.stop()).toEqual({ code: 0, signal: null });
}
