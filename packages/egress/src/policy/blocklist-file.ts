/**
 * A blocklist from its file: at once at the start, in slices while others are served.
 * Rule: a list is whole or it is not there: a file that cannot be read, or has a line that cannot be understood, gives
 * POLICY_INVALID with the place. In slices nobody waits for it longer than for one slice.
 * Not here: when to load, and which list is in force (reload.ts).
 */
import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from 'node:fs';
import { open } from 'node:fs/promises';
import { setImmediate as turn } from 'node:timers/promises';
import { AditError, messageOf } from '@adit/shared/errors';
import { BlocklistBuilder, type Blocklist } from './blocklist.ts';
import { BlocklistReader } from './blocklist-lines.ts';

/** Read and understood in one go: about a thousand names. */
const sliceBytes = 16_384;
/** A pipe without a writer is not waited for: the process could not even end meanwhile. */
const flags = constants.O_RDONLY | constants.O_NONBLOCK;

/** Loads a list without letting anybody else run: for the start, and for checks. Fails with POLICY_INVALID. */
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

  /** False when more is not worth reading. */
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

  /** What is no file has no end, or another one each time. */
  judge(stats: Stats): void {
    if (!stats.isFile()) this.unreadable(new Error('it is no regular file'));
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
