/**
 * The policy file of a running egress and the blocklists that it names: read at the start, and again on demand.
 * Rule: a file that is not valid changes nothing: the policy in force stays until a whole new one, with all its
 * blocklists, has passed its own tests. At the start everything is read in one go, because no client is served yet; a
 * reload reads blocklists in slices while the old policy serves.
 * Not here: when to reload (signals, file watching), and what becomes of live streams: the server decides both.
 */
import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { AditError, messageOf } from '@adit/shared/errors';
import type { Blocklists } from './blocklist.ts';
import { BlocklistFiles } from './blocklists.ts';
import { compilePolicy, type CompiledPolicy } from './compile.ts';
import { blocklistsOf, Policy } from './policy.ts';

/** Reads and checks a policy file and the blocklists that it names. Fails with POLICY_INVALID. */
export function loadPolicy(file: string): Policy {
  return new PolicyFile(file).current;
}

function readPolicy(file: string): CompiledPolicy {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(file));
  } catch (error) {
    throw new AditError('POLICY_INVALID', `The policy file ${file} cannot be read: ${messageOf(error)}.`, {
      cause: error,
    });
  }
  return compilePolicy(text, file);
}

/** What depends on a policy. `prepare` may refuse one by throwing; `enforced` is called when it is in force. */
export interface Dependent {
  readonly prepare?: (next: Policy) => void;
  readonly enforced?: (policy: Policy) => void;
}

export class PolicyFile {
  readonly file: string;
  readonly #lists: BlocklistFiles;
  #current: Policy;
  #blocklists: readonly string[];
  #loading = new AbortController();

  /** Loads the file. Fails with POLICY_INVALID. */
  constructor(file: string) {
    this.file = file;
    this.#lists = new BlocklistFiles(dirname(file));
    const compiled = readPolicy(file);
    this.#blocklists = blocklistsOf(compiled);
    this.#current = Policy.of(compiled, file, this.#lists.load(this.#blocklists));
  }

  /** The policy in force. */
  get current(): Policy {
    return this.#current;
  }

  /** The blocklists of the policy that was read last, in force or not. */
  get blocklists(): readonly string[] {
    return this.#blocklists.map((name) => this.#lists.pathOf(name));
  }

  /** Has a blocklist changed since it was read? Reading it again takes time. */
  get stale(): boolean {
    return !this.#lists.current(this.#blocklists);
  }

  /**
   * Puts the new content of the files in force, synchronously where no blocklist has to be read. Returns false when a
   * later reload took over. Fails with POLICY_INVALID, or as `prepare` does; then the old policy stays in force.
   */
  async reload({ prepare, enforced }: Dependent = {}): Promise<boolean> {
    this.#loading.abort();
    const { signal } = (this.#loading = new AbortController());
    const compiled = readPolicy(this.file);
    this.#blocklists = blocklistsOf(compiled);
    const lists = this.#lists.held(this.#blocklists) ?? (await this.#read(signal));
    if (lists === undefined) return false;
    const next = Policy.of(compiled, this.file, lists);
    prepare?.(next);
    this.#current = next;
    enforced?.(next);
    return true;
  }

  /** Ends a reload that is running. */
  close(): void {
    this.#loading.abort();
  }

  async #read(signal: AbortSignal): Promise<Blocklists | undefined> {
    try {
      return await this.#lists.loadInSlices(this.#blocklists, signal);
    } catch (error) {
      if (signal.aborted) return undefined;
      throw error;
    }
  }
}
