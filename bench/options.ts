/**
 * The command line of the benchmark: text in, complete options out.
 * Rule: anything unknown ends with one sentence that names it; `--smoke` fixes rounds, seconds and peers by itself.
 */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';

/** On loopback. */
const loopbackTests = ['bulk', 'bulk8', 'http', 'rate', 'setup', 'idle', 'idle10k', 'churn', 'start', 'rest'] as const;
/** Left out of a smoke: each differs from another test in a number alone. */
const slowTests: readonly TestName[] = ['idle10k', 'lossy-cubic', 'clean-bbr'];
/** Across an emulated link (bench/link/links.ts). */
export const linkTests = ['lossy', 'lossy-cubic', 'clean-cubic', 'clean-bbr'] as const;
const muxTests = ['mux'] as const;
export const testNames = [...loopbackTests, ...linkTests, ...muxTests] as const;
/** A group of rows that one load produces. */
export type TestName = (typeof testNames)[number];
export type LinkTestName = (typeof linkTests)[number];

/** A built checkout of Adit: a name for the table and the absolute path of its root folder. */
export interface AditBuild {
  readonly name: string;
  readonly root: string;
  readonly egressFlags?: readonly string[];
  readonly ingressFlags?: readonly string[];
  /** What stands before the address of --egress: another carrier than the default. */
  readonly scheme?: string;
}

export interface BenchOptions {
  /** Pairs to measure by name; undefined: every one that is installed. */
  readonly only: readonly string[] | undefined;
  readonly tests: readonly TestName[];
  /** Length of one iperf3 or wrk measurement. */
  readonly seconds: number;
  readonly rounds: number;
  /** Whether tests that take long are measured in fewer rounds than that. */
  readonly fewerOfLong: boolean;
  /** File for every raw value. */
  readonly json: string | undefined;
  /** File for the tables as Markdown. */
  readonly markdown: string | undefined;
  readonly smoke: boolean;
  readonly full: boolean;
  /** A revision to build and to measure in turn with this checkout. */
  readonly compare: string | undefined;
  /** Those to measure beside this checkout's own. */
  readonly builds: readonly AditBuild[];
  readonly help: boolean;
}

/** The command line is wrong; the message says where. */
export class UsageError extends Error {}

export const usage = `usage: npm run bench -- [options]
  --only a,b            pairs to measure: direct, adit, nginx, haproxy, stunnel, ghostunnel, chisel, wstunnel, names
                        given by --adit; and, only when named: socat, adit-no-replay, adit-wss, adit-connect-h2,
                        adit-bbr
  --tests a,b           of ${testNames.join(', ')}
                        (default: those on loopback)
  --link                the tests across emulated links: ${linkTests.join(', ')};
                        needs root, as it makes network namespaces
  --mux                 the multiplexer alone, without sockets
  --full                everything, with all carriers: seven rounds of one second, those that take long in fewer
  --seconds N           length of one transfer or load (default 4)
  --rounds N            interleaved rounds (default 5, with --compare 15; without this option, and with --full, tests
                        that take long have fewer)
  --json FILE           every raw value
  --markdown FILE       the tables as Markdown, between the marks <!-- bench: begin --> and <!-- bench: end --> of FILE,
                        or in a new FILE
  --smoke               one short round, Adit and one peer; fails unless every row was measured without errors
  --compare REV         this checkout against the revision REV of it, which is built in a temporary worktree: the ratio
                        of each row beside the noise, which is even against odd rounds of this checkout
  --adit NAME=DIR       a further build of Adit beside this checkout's (repeatable): the root folder of another
                        checkout, built; NAME "adit" stands in for this checkout
`;

const flags = {
  only: { type: 'string' },
  tests: { type: 'string' },
  link: { type: 'boolean' },
  mux: { type: 'boolean' },
  full: { type: 'boolean' },
  seconds: { type: 'string' },
  rounds: { type: 'string' },
  json: { type: 'string' },
  markdown: { type: 'string' },
  smoke: { type: 'boolean' },
  compare: { type: 'string' },
  adit: { type: 'string', multiple: true },
  help: { type: 'boolean' },
} as const;
type Flag = keyof typeof flags;

/** Flags that mean nothing beside another, and why. */
const contradictions: readonly (readonly [Flag, readonly Flag[], string])[] = [
  ['smoke', ['rounds', 'seconds', 'full'], 'which is one round of one second'],
  ['compare', ['only', 'markdown', 'smoke', 'adit', 'full'], 'which measures two builds of Adit'],
  ['full', ['tests', 'link', 'mux'], 'which is every test'],
  ['tests', ['link', 'mux'], 'which says which tests'],
];

/** Parses the arguments after the program's name. Fails with UsageError. */
export function parseOptions(args: readonly string[]): BenchOptions {
  const values = readFlags(args);
  for (const [flag, others, why] of contradictions)
    for (const other of others)
      if (values[flag] !== undefined && values[other] !== undefined)
        throw new UsageError(`--${other} means nothing with --${flag}, ${why}.`);
  const { smoke = false, full = false, compare, rounds, seconds } = values;
  return {
    only: values.only === undefined ? undefined : list('--only', values.only),
    tests: testsOf(values),
    seconds: smoke ? 1 : wholeNumber('--seconds', seconds ?? (full ? '1' : '4')),
    rounds: smoke ? 1 : wholeNumber('--rounds', rounds ?? (compare === undefined ? (full ? '7' : '5') : '15')),
    fewerOfLong: full || rounds === undefined,
    json: values.json,
    markdown: values.markdown,
    smoke,
    full,
    compare,
    builds: (values.adit ?? []).map(aditBuild),
    help: values.help ?? false,
  };
}

function testsOf({ tests, link, mux, full, smoke }: ReturnType<typeof readFlags>): readonly TestName[] {
  if (full) return testNames;
  if (tests !== undefined) return list('--tests', tests).map(testName);
  const links = linkTests.filter((name) => !smoke || !slowTests.includes(name));
  if (link || mux) return [...(link ? links : []), ...(mux ? muxTests : [])];
  return smoke ? [...loopbackTests.filter((name) => !slowTests.includes(name)), ...muxTests] : loopbackTests;
}

function readFlags(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: flags, strict: true, allowPositionals: false }).values;
  } catch (cause) {
    throw new UsageError(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}

function list(flag: string, text: string): string[] {
  const names = text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  if (names.length === 0) throw new UsageError(`${flag} wants names with commas between them.`);
  return [...new Set(names)];
}

function testName(name: string): TestName {
  const known = testNames.find((test) => test === name);
  if (known === undefined) throw new UsageError(`--tests: "${name}" is none of ${testNames.join(', ')}.`);
  return known;
}

function wholeNumber(flag: string, text: string): number {
  if (!/^[1-9]\d{0,3}$/.test(text)) throw new UsageError(`${flag} wants a whole number from 1 to 9999, not "${text}".`);
  return Number(text);
}

function aditBuild(text: string): AditBuild {
  const match = /^([\w.-]+)=(.+)$/.exec(text);
  if (match === null) throw new UsageError(`--adit wants NAME=DIR, not "${text}".`);
  return { name: match[1]!, root: resolve(match[2]!) };
}
