/**
 * The blocklists of a policy, kept from one load to the next: a file that has not changed is not read again.
 * Rule: what decides is the state of the file (inode, size, times) from before it was read, so that a change while it
 * is read is seen the next time.
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

  /** `folder`: where relative names begin. */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Where a list is that the policy names. */
  pathOf(name: string): string {
    return isAbsolute(name) ? name : join(this.#folder, name);
  }

  /** The lists, where none has to be read for it. */
  held(names: readonly string[]): Blocklists | undefined {
    const kept = names.map((name) => this.#unchanged(name));
    return kept.every((one) => one !== undefined) ? this.#keep(names, kept) : undefined;
  }

  /** Loads what has changed while nobody else runs. Fails with POLICY_INVALID. */
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

  /** Are these files as they were when they were loaded? */
  current(names: readonly string[]): boolean {
    return names.every((name) => this.#unchanged(name) !== undefined);
  }

  #unchanged(name: string): Kept | undefined {
    const kept = this.#kept.get(name);
    return kept !== undefined && kept.state === this.#stateOf(name) ? kept : undefined;
  }

  /** Lists that no policy names any more are forgotten. */
  #keep(names: readonly string[], kept: readonly Kept[]): Blocklists {
    this.#kept = new Map(names.map((name, at) => [name, kept[at]!]));
    return new Map(names.map((name, at) => [name, kept[at]!.list]));
  }

  /** Of a file that cannot be looked at: nothing that equals anything. */
  #stateOf(name: string): string {
    try {
      const { dev, ino, size, mtimeNs, ctimeNs } = statSync(this.pathOf(name), { bigint: true });
      return [dev, ino, size, mtimeNs, ctimeNs].join(' ');
    } catch {
      return `unreadable ${performance.now()}`;
    }
  }
}
