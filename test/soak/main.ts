/**
 * The soak: honest clients of every kind beside attackers of every kind, on real processes, for as long as one likes.
 * Ends with a table, and a verdict: 0 if nobody but the attackers noticed anything, and the processes hold no more
 * than after the warm-up; else 1, with what is wrong.
 * usage: node test/soak/main.ts [--minutes N]
 */
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { AditProcess } from '../support/adit.ts';
import { undoAll } from '../support/scope.ts';
import { type Holding, holding } from './measure.ts';
import { openStage, program, type Stage } from './stage.ts';
import type { Tally } from './tally.ts';
import { complaints, mebibytes, quantile, type Soak } from './verdict.ts';

/** The part of the time in which everything is loaded, and memory finds its level, before it is measured. */
const warmUpShare = 0.25;
const maxWarmUpMs = 90_000;
/** After an act: sessions left behind expire (30 s), look-ups give up (2 s), and garbage is collected. */
const restMs = 32_000;
/** The longest rest at the end, if memory or descriptors are not back before. */
const longestRestMs = 90_000;

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '10' } } });
const milliseconds = Number(values.minutes) * 60_000;
if (!(milliseconds >= 6_000)) {
  process.stderr.write(`--minutes takes a number, at least 0.1, not ${values.minutes}\n`);
  process.exit(2);
}

let peakBytes = 0;
/** The last lines of the log of each process that are worth a look when something is wrong. */
const said = new Map<string, readonly string[]>();
try {
  const { soak, stage } = await perform();
  const wrong = complaints(soak);
  process.stdout.write(table(soak, stage));
  if (wrong.length > 0)
    for (const [name, lines] of said) process.stdout.write(`${name} said at last:\n${lines.join('\n')}\n\n`);
  for (const complaint of wrong) process.stdout.write(`wrong: ${complaint}\n`);
  process.stdout.write(wrong.length === 0 ? 'held\n' : `did not hold: ${wrong.length} things are wrong\n`);
  process.exitCode = wrong.length === 0 ? 0 : 1;
} finally {
  await undoAll();
}

async function perform(): Promise<{ readonly soak: Soak; readonly stage: Stage }> {
  const stage = await openStage();
  if (!stage.attack.silentNames)
    process.stdout.write('names of a silent server are left out: they need root and mount namespaces\n');
  const warmUpMs = Math.min(maxWarmUpMs, milliseconds * warmUpShare);
  await act(stage, warmUpMs);
  await delay(restMs);
  const before = new Map(Object.entries(stage.processes).map(([name, { pid }]) => [name, holding(pid)]));
  const tallies = await act(stage, milliseconds - warmUpMs);
  const rest = (): Soak['processes'] =>
    Object.fromEntries(
      Object.entries(stage.processes).map(([name, child]) => [
        name,
        { before: before.get(name)!, after: child.running ? holding(child.pid) : undefined },
      ]),
    );
  const lateAtMs = performance.now() + longestRestMs;
  let soak = { ...tallies, processes: rest() };
  while (performance.now() < lateAtMs && complaints({ honest: [], attacks: [], processes: rest() }).length > 0)
    await delay(500);
  soak = { ...soak, processes: rest() };
  return { soak, stage };
}

/** Everybody at work for that long. */
async function act(stage: Stage, ms: number): Promise<Pick<Soak, 'honest' | 'attacks'>> {
  const { doors, connect, attack, processes } = stage;
  const honest = [
    program('honest', { doors, kinds: ['latency'] }), // alone, so that it measures the tunnel and not its own work
    program('honest', { doors, kinds: ['request', 'idle', 'up', 'down', 'half-close', 'reset'], connect }),
  ];
  const attackers = program('attackers', attack);
  const watch = setInterval(() => {
    watchPeak(processes['egress']!);
    for (const [name, child] of Object.entries(processes)) remember(name, child);
  }, 250);
  await Promise.race([delay(ms), ...[...honest, attackers, stage.service].map(early)]);
  for (const child of [attackers, ...honest]) child.say('stop');
  const reports = await Promise.all([...honest, attackers].map(reported));
  clearInterval(watch);
  return { honest: [...reports[0]!, ...reports[1]!], attacks: reports[2]! };
}

/** Rejects if a program of the soak ends before it was told to. */
async function early({ exit, name, lines }: ReturnType<typeof program>): Promise<void> {
  await exit;
  throw new Error(`${name} ended early:\n${lines.slice(-20).join('\n')}`);
}

async function reported(child: ReturnType<typeof program>): Promise<Tally[]> {
  const [line] = await child.line(/^\[.*\]$/, 60_000);
  return JSON.parse(line) as Tally[];
}

/** Keeps what its log says of sessions and failures, and forgets the rest: a line for each stream, for hours. */
function remember(name: string, child: AditProcess): void {
  const kept = child.lines.filter((line) => !/"event":"(stream|streams|denied|expiring)"/.test(line));
  said.set(name, [...(said.get(name) ?? []), ...kept].slice(-30));
  child.forgetLog();
}

function watchPeak({ running, pid }: AditProcess): void {
  if (running) peakBytes = Math.max(peakBytes, holding(pid).bytes);
}

function table({ honest, attacks, processes }: Soak, { network }: Stage): string {
  const row = (name: string, ...cells: readonly string[]): string => `${name.padEnd(42)}${cells.join('  ')}\n`;
  const counts = ({ kind, done, failed, latenciesMs }: Tally, word: string): string =>
    row(
      kind,
      `${String(done).padStart(8)} done  ${String(failed).padStart(6)} ${word}`,
      ...(latenciesMs.length === 0
        ? []
        : [0.5, 0.95, 1].map((part) => `${quantile(latenciesMs, part).toFixed(1).padStart(6)} ms`)),
    );
  const held = (name: string, before: Holding, after: Holding | undefined): string =>
    row(
      name,
      `${mebibytes(before.bytes).padStart(4)} -> ${after === undefined ? 'gone' : mebibytes(after.bytes)} MiB`,
      `${before.descriptors} -> ${after?.descriptors ?? 'none'} descriptors`,
      ...(name === 'egress' ? [`${mebibytes(peakBytes)} MiB at most`] : []),
    );
  return [
    row('honest clients', '', '(median, p95 and maximum of an echo)'),
    ...honest.map((tally) => counts(tally, 'failed')),
    row('\nattackers'),
    ...attacks.map((tally) => counts(tally, 'refused')),
    row('\nat rest', 'after the warm-up -> at the end'),
    ...Object.entries(processes).map(([name, { before, after }]) => held(name, before, after)),
    row('connections cut on the way', String(network.kills)),
    '\n',
  ].join('');
}
