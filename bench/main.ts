/**
 * `npm run bench`: Adit against its peers on this machine, in one run.
 * Rule: whatever ends the program (the end, a failure, Ctrl-C) takes every process and the temporary folder with it.
 * Exit status: 0 measured, 1 a row of Adit (with --smoke: any row) could not be measured or had errors, 2 the command
 * line is wrong. Bars do not count.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeMachine, type Machine, machineLines } from './machine.ts';
import { type AditBuild, type BenchOptions, parseOptions, usage, UsageError } from './options.ts';
import { ownBuild } from './peers/adit.ts';
import { select } from './peers/selection.ts';
import { killAll } from './process/child.ts';
import { revisionCells } from './report/comparison.ts';
import { markdownReport, place } from './report/markdown.ts';
import type { Results } from './report/results.ts';
import { row } from './report/row.ts';
import { sectionsOf } from './report/section.ts';
import { alignTable, barCells, comparisonLines, noiseLines, noteLines, tableCells } from './report/table.ts';
import { buildRevision } from './revision.ts';
import { type RunOptions, runBench } from './run.ts';
import type { Test } from './test.ts';
import { testsOf } from './tests.ts';

const commandLine = ['npm run bench', ...(process.argv.length > 2 ? ['--'] : []), ...process.argv.slice(2)].join(' ');

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

async function main(options: BenchOptions): Promise<number> {
  if (options.markdown !== undefined) withReport(options.markdown, '');
  const other = options.compare === undefined ? undefined : await otherBuild(options.compare);
  const tests = availableTests(options);
  const { peers, missing } = select(
    other === undefined ? options : { ...options, only: [ownBuild.name, other.name], builds: [other] },
  );
  for (const { name, why } of missing) say(`left out: ${name} (${why})`);
  const machine = await describeMachine(peers);
  for (const line of machineLines(machine)) say(line);
  const { smoke, seconds, rounds, fewerOfLong } = options;
  const results = await runBench({
    peers,
    tests,
    rounds,
    fewerOfLong,
    seconds,
    folder: temporaryFolder(),
    progress,
    ...(smoke
      ? { warmUp: false, setups: 100, idleConnections: 1000, shortConnections: 2000, quietSeconds: 1 }
      : { warmUp: true, setups: 500, idleConnections: 1000, shortConnections: 90_000, quietSeconds: 60 }),
  });
  print(results, other);
  if (options.json !== undefined)
    writeFileSync(
      options.json,
      `${JSON.stringify({ command: commandLine, at: new Date(), machine, ...results.toJSON() }, undefined, 1)}\n`,
    );
  if (options.markdown !== undefined) writeMarkdown(options.markdown, results, machine);
  const failures = complaints(results, smoke);
  for (const line of failures) say(`failed: ${line}`);
  return failures.length > 0 ? 1 : 0;
}

const progress: RunOptions['progress'] = (step, outcome) => {
  if (outcome === undefined) return;
  const text =
    outcome instanceof Error
      ? outcome.message
      : Object.entries(outcome.values)
          .map(([name, value]) => `${name} ${Number(value.toPrecision(3))}`)
          .join(', ') || 'nothing to measure';
  const seconds = String(Math.round(process.uptime())).padStart(4);
  say(`${seconds} s  round ${step.round + 1}  ${step.test.padEnd(11)}  ${step.pair.padEnd(10)}  ${text}`);
};

/** Those that can be run here; with --full the others are named, otherwise they were asked for. */
function availableTests({ tests, full }: BenchOptions): Test[] {
  return testsOf(tests).filter((test) => {
    const why = test.together ? test.unavailable() : undefined;
    if (why !== undefined && !full) throw new Error(`${test.test} cannot be measured: ${why}`);
    if (why !== undefined) say(`left out: ${test.test} (${why})`);
    return why === undefined;
  });
}

/** The revision to compare with, built. */
function otherBuild(revision: string): Promise<AditBuild> {
  say(`building ${revision}`);
  return buildRevision(revision, { repository: ownBuild.root, folder: join(temporaryFolder(), 'revision') });
}

function print(results: Results, other: AditBuild | undefined): void {
  const sections =
    other === undefined
      ? [
          ...sectionsOf(results).map((section) => titled(section.title, alignTable(tableCells(results, section)))),
          noiseLines(results),
          titled('bars', alignTable(barCells(results))),
          titled('builds', comparisonLines(results)),
          titled('notes', noteLines(results)),
        ]
      : [
          alignTable(revisionCells(results, { before: other.name, after: ownBuild.name })),
          titled('notes', noteLines(results)),
        ];
  process.stdout.write(
    `\n${sections
      .filter((lines) => lines.length > 0)
      .map((lines) => lines.join('\n'))
      .join('\n\n')}\n`,
  );
}

function writeMarkdown(file: string, results: Results, machine: Machine): void {
  writeFileSync(
    file,
    withReport(
      file,
      markdownReport(results, { command: commandLine, date: new Date().toISOString().slice(0, 10), machine }),
    ),
  );
}

/**
 * The text of the file with the report in its place; asked before the run as well, so that a quarter of an hour is not
 * lost to a missing mark.
 */
function withReport(file: string, report: string): string {
  try {
    return place(report, existsSync(file) ? readFileSync(file, 'utf8') : '');
  } catch (cause) {
    throw new UsageError(`--markdown ${file}: ${cause instanceof Error ? cause.message : String(cause)}.`, { cause });
  }
}

function titled(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [title, ...lines.map((line) => `  ${line}`)];
}

/** Why the run is no success: empty cells and errors of Adit; with smoke, of every pair. */
function complaints(results: Results, smoke: boolean): string[] {
  const judged = results.pairs.filter(({ kind }) => smoke || kind === 'adit');
  const empty = judged.flatMap((pair) =>
    results.rows
      .filter((name) => results.median(pair.name, name) === undefined && results.absence(pair, name) === 'missing')
      .map((name) => `${pair.name}: ${row(name).title} is missing`),
  );
  const errors = results.notes.filter(({ pair }) => judged.some(({ name, kind }) => name === pair && kind === 'adit'));
  return [...empty, ...errors.map(({ pair, test, text }) => `${pair}: ${test}: ${text}`)];
}

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'adit-bench-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));
  return folder;
}

process.on('exit', killAll);
for (const [signal, number] of [
  ['SIGINT', 2],
  ['SIGTERM', 15],
  ['SIGHUP', 1],
] as const)
  process.once(signal, () => process.exit(128 + number));
try {
  const options = parseOptions(process.argv.slice(2));
  if (options.help) process.stdout.write(usage);
  else process.exitCode = await main(options);
} catch (error) {
  say(`bench: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
