/**
 * Reads a blocklist from its file: in one go at the start, in slices while clients are served.
 * Rule: a list is complete or refused: a file that cannot be read, or a line that cannot be understood, gives
 * POLICY_INVALID with the line. In slices, no client waits longer than one slice takes.
 * Not here: when to load, and which list is in force (reload.ts).
 */
import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from 'node:fs';
import { open } from 'node:fs/promises';
import { setImmediate as turn } from 'node:timers/promises';
import { AditError, messageOf } from '@adit/shared/errors';
import { BlocklistBuilder, type Blocklist } from './blocklist.ts';
import { BlocklistReader } from './blocklist-lines.ts';

/** The size of a slice: about a thousand names. */
const sliceBytes = 16_384;
/** Opening a pipe without a writer must not block: the process could not even end meanwhile. */
const flags = constants.O_RDONLY | constants.O_NONBLOCK;

/** Loads a list synchronously, for the start and for checks. Fails with POLICY_INVALID. */
export function loadBlocklist(file: string): Blocklist {
  const loading = new Loading(file);
  const buffer = new Uint8Array(sliceBytes);
  const descriptor = loading.attempt(() => openSync(file, flags));
  try {
    loading.judge(fstatSync(descriptor));
    for (;;) {
      const length = loading.attempt(() => readSync(descriptor, buffer));
      if (length === 0 || !loading.receive(buffer.subarray(0, length))) break;
    }
  } finally {
    closeSync(descriptor);
  }
  const build = loading.build();
  for (;;) {
    const step = build.next();
    if (step.done === true) return step.value;
  }
}

/** Loads a list in slices. Fails with POLICY_INVALID; rejects with the reason of `signal` when that aborts. */
export async function loadBlocklistInSlices(file: string, signal: AbortSignal): Promise<Blocklist> {
  const loading = new Loading(file);
  const buffer = new Uint8Array(sliceBytes);
  const handle = await open(file, flags).catch((error: unknown) => loading.unreadable(error));
  try {
    loading.judge(await handle.stat());
    for (;;) {
      const { bytesRead } = await handle
        .read(buffer, 0, sliceBytes)
        .catch((error: unknown) => loading.unreadable(error));
      signal.throwIfAborted();
      if (bytesRead === 0 || !loading.receive(buffer.subarray(0, bytesRead))) break;
    }
  } finally {
    await handle.close();
  }
  const build = loading.build();
  for (;;) {
    const step = build.next();
    if (step.done === true) return step.value;
    await turn();
    signal.throwIfAborted();
  }
}

class Loading {
  readonly #file: string;
  readonly #builder = new BlocklistBuilder();
  readonly #reader = new BlocklistReader(this.#builder);

  constructor(file: string) {
    this.#file = file;
  }

  /** Returns false when there is no point in reading on. */
  receive(chunk: Uint8Array): boolean {
    this.#reader.receive(chunk);
    return !this.#reader.hopeless;
  }

  build(): Generator<void, Blocklist> {
    this.#reader.end();
    const { complaints } = this.#reader;
    if (complaints.length > 0)
      throw new AditError('POLICY_INVALID', complaints.map((complaint) => `${this.#file}:${complaint}`).join('\n'));
    return this.#builder.build();
  }

  /** Refuses what is not a regular file: it may have no end, or other content each time. */
  judge(stats: Stats): void {
    if (!stats.isFile()) this.unreadable(new Error('it is not a regular file'));
  }

  attempt<T>(act: () => T): T {
    try {
      return act();
    } catch (error) {
      return this.unreadable(error);
    }
  }

  unreadable(error: unknown): never {
    throw new AditError('POLICY_INVALID', `The blocklist ${this.#file} cannot be read: ${messageOf(error)}.`, {
      cause: error,
    });
  }
}
