/**
 * What systemd does for a .socket unit: holds a listening socket and starts programs with it, several at once if told.
 */
import { join } from 'node:path';
import { Child } from './child.ts';

export class SocketHolder {
  readonly port: number;
  readonly #child: Child;

  private constructor(child: Child, port: number) {
    this.#child = child;
    this.port = port;
  }

  /** `name` is that of FileDescriptorName=. */
  static async open(name: string): Promise<SocketHolder> {
    const script = join(import.meta.dirname, 'socket-holder.py');
    const child = new Child('python3', [script, name], { listens: true });
    return new SocketHolder(child, Number((await child.line(/^(\d+)$/))[1]));
  }

  /** Starts a program with the socket; its process id. What it writes is among the `lines`. */
  async start(command: readonly string[]): Promise<number> {
    const before = this.#started().length;
    this.#child.say(JSON.stringify(command));
    return this.#child.until(`start of ${command[0]}`, () => this.#started()[before]);
  }

  /** How many programs have ended with 0. */
  async ended(count: number): Promise<void> {
    await this.#child.until(`${count} ends`, () =>
      this.lines.filter((line) => line === 'ended 0').length >= count ? true : undefined,
    );
  }

  /** Ends every program that runs, and waits until all have ended with 0. */
  async finish(): Promise<void> {
    const ended = this.lines.filter((line) => line.startsWith('ended ')).length;
    const pids = this.#started();
    // They end in the order in which they were told to: the first ones are gone.
    for (const pid of pids.slice(ended)) process.kill(pid, 'SIGTERM');
    await this.ended(pids.length);
  }

  /** The `nth` (from 1) line that matches, of any of the programs. */
  line(pattern: RegExp, nth = 1): Promise<string> {
    return this.#child.until(`line ${pattern}`, () => this.lines.filter((line) => pattern.test(line))[nth - 1]);
  }

  get lines(): readonly string[] {
    return this.#child.lines;
  }

  #started(): number[] {
    return this.lines.flatMap((line) => {
      const pid = /^started (\d+)$/.exec(line)?.[1];
      return pid === undefined ? [] : [Number(pid)];
    });
  }
}
