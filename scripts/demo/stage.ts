/**
 * What the demo shows: numbered acts, the commands it runs, and a mark for each thing that held.
 * Rule: colour and the moving line only on a terminal that wants them (NO_COLOR, FORCE_COLOR, not a terminal); a pipe
 * gets the same plain lines.
 */
import { styleText } from 'node:util';

type Style = Parameters<typeof styleText>[0];
const paint = (style: Style, text: string): string => styleText(style, text, { stream: process.stdout });
const barWidth = 30;

let acts = 0;
let moving = false;

function say(line = ''): void {
  if (moving) process.stdout.write('\r\x1b[K');
  moving = false;
  process.stdout.write(`${line}\n`);
}

export const stage = {
  title(text: string, below: string): void {
    say();
    say(`  ${paint(['bold', 'cyan'], text)}`);
    say(`  ${paint('gray', below)}`);
  },
  act(text: string): void {
    say();
    say(`${paint(['bold', 'cyan'], String(++acts).padStart(3))}  ${paint('bold', text)}`);
  },
  /** A command as a person would type it. */
  command(text: string): void {
    say(`     ${paint('gray', '$')} ${text}`);
  },
  /** Something that was checked and held. */
  held(text: string, detail = ''): void {
    say(`     ${paint('green', '✓')} ${text}${detail === '' ? '' : paint('gray', `  ${detail}`)}`);
  },
  /** Words of a program or a file, as they are. */
  quote(text: string): void {
    for (const line of text.trimEnd().split('\n')) say(`       ${paint('yellow', line)}`);
  },
  aside(text: string): void {
    say(`       ${paint('gray', text)}`);
  },
  failed(text: string, detail: string): void {
    say(`     ${paint('red', '✗')} ${paint('red', text)}`);
    for (const line of detail.split('\n')) say(`       ${line}`);
  },
  finale(text: string, good: boolean): void {
    say();
    say(`  ${paint(['bold', good ? 'green' : 'red'], text)}`);
    say();
  },
  /** A line that moves, `share` from 0 to 1; gone with the next thing that is said. */
  progress(share: number, text: string): void {
    if (!process.stdout.isTTY) return;
    const filled = Math.round(Math.min(1, share) * barWidth);
    process.stdout.write(
      `\r\x1b[K       ${paint('cyan', '█'.repeat(filled))}${paint('gray', '░'.repeat(barWidth - filled))} ${text}`,
    );
    moving = true;
  },
} as const;
