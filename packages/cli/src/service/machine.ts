/**
 * What `adit service` asks of the machine: whether systemd runs, its programs, accounts and folders.
 * Rule: a program that is missing or fails is an answer, never an exception.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { isSea } from 'node:sea';

export type Scope = 'system' | 'user';

export interface Account {
  readonly uid: number;
  readonly gid: number;
}
export interface Ran {
  readonly status: number;
  /** stdout and stderr. */
  readonly output: string;
}

export interface Machine {
  readonly isRoot: boolean;
  /** Why there is no systemd to write a unit for; undefined if there is one. */
  readonly withoutSystemd: string | undefined;
  /** How to start this program: without `egress` and what follows. */
  readonly command: readonly string[];
  folder(scope: Scope): string;
  account(name: string): Account | undefined;
  run(command: readonly string[], as?: Account): Ran;
}

/** The machine that this process runs on. */
export function thisMachine(): Machine {
  return {
    isRoot: process.getuid?.() === 0,
    withoutSystemd: withoutSystemd(),
    command: ownCommand(),
    folder: (scope) =>
      scope === 'system'
        ? '/etc/systemd/system'
        : join(process.env['XDG_CONFIG_HOME'] || join(homedir(), '.config'), 'systemd', 'user'),
    account,
    run,
  };
}

/** As sd_booted(3) answers. */
export function withoutSystemd(
  platform: string = process.platform,
  booted = '/run/systemd/system',
): string | undefined {
  if (platform !== 'linux') return `this is ${platform}, which has no systemd`;
  return existsSync(booted) ? undefined : `systemd does not run on this machine (there is no ${booted})`;
}

/** Node with the script that it runs, or the single executable. */
export function ownCommand(
  { argv, execArgv, execPath }: Pick<NodeJS.Process, 'argv' | 'execArgv' | 'execPath'> = process,
  single = isSea(),
): readonly string[] {
  return single ? [execPath] : [execPath, ...execArgv, argv[1]!];
}

function account(name: string): Account | undefined {
  const [uid, gid] = ['-u', '-g'].map((which) => run(['id', which, name]));
  return uid!.status === 0 && gid!.status === 0 ? { uid: Number(uid!.output), gid: Number(gid!.output) } : undefined;
}

function run([program, ...args]: readonly string[], as?: Account): Ran {
  const { status, stdout, stderr, error } = spawnSync(program!, args, { encoding: 'utf8', ...as });
  return { status: status ?? 1, output: error ? error.message : stdout + stderr };
}
