/**
 * What systemd is told about this process: ready, reloading, stopping, one line of status, and that its event loop
 * turns (watchdog).
 * Rule: nothing is sent unless systemd asks for it (NOTIFY_SOCKET). The watchdog is fed from the event loop, so that a
 * loop that is held up is noticed. What cannot be told never stops the work; the log says so once.
 * A message is a datagram, which Node cannot send: it goes by a native call, else by the program systemd-notify, whose
 * messages a unit has to accept (NotifyAccess=all).
 * Spec: sd_notify(3), sd_watchdog_enabled(3).
 */
import { execFile } from 'node:child_process';
import { type UnixDatagram, unixDatagram } from '../native/unix-datagram.ts';
import type { Logger } from '../observe/logger.ts';
import { safeText } from '../observe/safe-text.ts';

export interface SdNotifyOptions {
  /** NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID are read from it and removed: no child may speak for us. */
  readonly environment: Record<string, string | undefined>;
  readonly log: Logger;
  /** One line about what it does now; told when it changes. */
  readonly status: () => string;
  readonly pid?: number;
  readonly native?: () => UnixDatagram | { readonly missing: string };
  /** The program for machines without native calls. */
  readonly program?: string;
}

/** How often the status is told at most where there is no watchdog. */
const statusMs = 10_000;
/** When a socket whose reader is behind is tried again. */
const retryMs = 50;
const tryAgain = 11; // EAGAIN

/** Sends one message; calls back with the reason if it was not sent, `true` if it is worth another try. */
type Send = (message: string, done: (failed?: { readonly reason: string; readonly again: boolean }) => void) => void;

export class SdNotify {
  readonly #options: SdNotifyOptions;
  readonly #send: Send | undefined;
  readonly #watched: boolean;
  readonly #everyMs: number;
  readonly #waiting: string[] = [];
  #beat: NodeJS.Timeout | undefined;
  #sending = false;
  #reloads = 0;
  #said = false;
  #status = '';

  constructor(options: SdNotifyOptions) {
    const { environment, pid = process.pid } = options;
    const { NOTIFY_SOCKET: socket, WATCHDOG_USEC: usec, WATCHDOG_PID: watched } = environment;
    for (const name of ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID']) delete environment[name];
    this.#options = options;
    this.#watched = Number(usec) > 0 && (watched === undefined || watched === String(pid));
    this.#everyMs = this.#watched ? Math.max(1, Math.floor(Number(usec) / 2000)) : statusMs;
    this.#send = socket === undefined || socket === '' ? undefined : sender(socket, options);
  }

  /** The start is over. From here on the watchdog is fed and the status told. */
  ready(): void {
    if (!this.#send) return;
    this.#tell('READY=1', this.#changedStatus());
    this.#beat = setInterval(() => {
      this.#tell(this.#watched ? 'WATCHDOG=1' : '', this.#changedStatus());
    }, this.#everyMs).unref();
  }

  /** Reloads between the two messages; several at once are one. */
  async reloading(reload: () => Promise<void> | void): Promise<void> {
    // systemd compares the time with the moment of its own request: both are those of CLOCK_MONOTONIC.
    if (this.#reloads++ === 0) this.#tell('RELOADING=1', `MONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`);
    try {
      await reload();
    } finally {
      if (--this.#reloads === 0) this.#tell('READY=1', this.#changedStatus());
    }
  }

  /** A drain begins; the watchdog is fed until the process ends. */
  stopping(): void {
    this.#tell('STOPPING=1', 'STATUS=Draining');
  }

  close(): void {
    clearInterval(this.#beat);
  }

  #changedStatus(): string {
    const status = safeText(this.#options.status(), { maxLength: 256 });
    if (status === this.#status) return '';
    this.#status = status;
    return `STATUS=${status}`;
  }

  #tell(...lines: readonly string[]): void {
    const message = lines.filter((line) => line !== '').join('\n');
    if (message === '' || !this.#send) return;
    // A beat takes the place of one that waits behind what is being sent: a slow reader does not fill our memory.
    const last = this.#waiting.at(-1);
    if (this.#waiting.length > 1 && isBeat(last!) && isBeat(message)) {
      this.#waiting.pop();
      this.#waiting.push(message.includes('STATUS=') ? message : last!);
    } else this.#waiting.push(message);
    this.#next();
  }

  #next(): void {
    const [message] = this.#waiting;
    if (this.#sending || message === undefined) return;
    this.#sending = true;
    this.#send!(message, (failed) => {
      this.#sending = false;
      if (failed?.again) {
        setTimeout(() => this.#next(), retryMs).unref();
        return;
      }
      if (failed) this.#complain(failed.reason);
      this.#waiting.shift();
      this.#next();
    });
  }

  #complain(reason: string): void {
    if (this.#said) return;
    this.#said = true;
    this.#options.log.warn({ event: 'failed', reason: `systemd is not told: ${reason}` }, 'systemd is not told');
  }
}

function isBeat(message: string): boolean {
  return message.startsWith('WATCHDOG=1') || message.startsWith('STATUS=');
}

function sender(socket: string, { native = unixDatagram, program = 'systemd-notify' }: SdNotifyOptions): Send {
  const datagram = native();
  if ('missing' in datagram) return byProgram(program, socket, datagram.missing);
  return (message, done) => {
    const sent = datagram.send(socket, Buffer.from(message));
    done(
      sent.ok ? undefined : { reason: `errno ${sent.errno} for ${safeText(socket)}`, again: sent.errno === tryAgain },
    );
  };
}

function byProgram(program: string, socket: string, missing: string): Send {
  const failed = (error: Error): { reason: string; again: boolean } => ({
    reason: `${program} failed (${error.message.split('\n')[0]}), and native calls need ${missing}`,
    again: false,
  });
  return (message, done) => {
    execFile(program, message.split('\n'), { env: { ...process.env, NOTIFY_SOCKET: socket } }, (error) => {
      done(error ? failed(error) : undefined);
    });
  };
}
