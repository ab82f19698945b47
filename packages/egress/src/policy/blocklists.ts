/**
 * The blocklists of a policy, kept from one load to the next: a file that has not changed is not read again.
 * Rule: what decides is the state of the file (inode, size, times) from before it was read, so that a change during
 * the read is noticed the next time.
 * Not here: watching the files, and when a list comes into force (reload.ts).
 */
import { statSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { loadBlocklist, loadBlocklistInSlices } from './blocklist-file.ts';
import type { Blocklist, Blocklists } from './blocklist.ts';

interface Kept {
  readonly state: string;
  readonly list: Blocklist;
}

export class BlocklistFiles {
  readonly #folder: string;
  #kept: ReadonlyMap<string, Kept> = new Map();

  /** `folder`: the base of relative paths. */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** The path of a list that the policy names. */
  pathOf(name: string): string {
    return isAbsolute(name) ? name : join(this.#folder, name);
  }

  /** The lists, where none has to be read again. */
  held(names: readonly string[]): Blocklists | undefined {
    const kept = names.map((name) => this.#unchanged(name));
    return kept.every((one) => one !== undefined) ? this.#keep(names, kept) : undefined;
  }

  /** Loads what has changed, synchronously. Fails with POLICY_INVALID. */
  load(names: readonly string[]): Blocklists {
    return this.#keep(
      names,
      names.map(
        (name) => this.#unchanged(name) ?? { state: this.#stateOf(name), list: loadBlocklist(this.pathOf(name)) },
      ),
    );
  }

  /**
   * Loads what has changed in slices, one file after the other. Fails with POLICY_INVALID; rejects with the reason of
   * `signal` when that aborts.
   */
  async loadInSlices(names: readonly string[], signal: AbortSignal): Promise<Blocklists> {
    const loaded: Kept[] = [];
    for (const name of names)
      loaded.push(
        this.#unchanged(name) ?? {
          state: this.#stateOf(name),
          list: await loadBlocklistInSlices(this.pathOf(name), signal),
        },
      );
    return this.#keep(names, loaded);
  }

  /** Are these files unchanged since they were loaded? */
  current(names: readonly string[]): boolean {
    return names.every((name) => this.#unchanged(name) !== undefined);
  }

  #unchanged(name: string): Kept | undefined {
    const kept = this.#kept.get(name);
    return kept !== undefined && kept.state === this.#stateOf(name) ? kept : undefined;
  }

  /** Forgets the lists that the policy no longer names. */
  #keep(names: readonly string[], kept: readonly Kept[]): Blocklists {
    this.#kept = new Map(names.map((name, at) => [name, kept[at]!]));
    return new Map(names.map((name, at) => [name, kept[at]!.list]));
  }

  /** The state of a file; that of an unreadable file equals no other. */
  #stateOf(name: string): string {
    try {
      const { dev, ino, size, mtimeNs, ctimeNs } = statSync(this.pathOf(name), { bigint: true });
      return [dev, ino, size, mtimeNs, ctimeNs].join(' ');
    } catch {
      return `unreadable ${performance.now()}`;
    }
  }
}
