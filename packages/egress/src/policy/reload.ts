/**
 * The policy file of a running egress: read at the start, again on demand.
 * Rule: a file that is not valid changes nothing: the policy in force stays until a whole new one has passed its own tests.
 * Not here: when to reload (signals, file watching), and what becomes of live streams: the server decides both.
 */
import { readFileSync } from 'node:fs';
import { AditError, messageOf } from '@adit/shared';
import { Policy } from './policy.ts';

/** Reads and checks a policy file. Fails with POLICY_INVALID, also when it cannot be read. */
export function loadPolicy(file: string): Policy {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(file));
  } catch (error) {
    throw new AditError('POLICY_INVALID', `The policy file ${file} cannot be read: ${messageOf(error)}.`, { cause: error });
  }
  return Policy.parse(text, file);
}

export class PolicyFile {
  readonly file: string;
  #current: Policy;

  /** Loads the file. Fails with POLICY_INVALID. */
  constructor(file: string) {
    this.file = file;
    this.#current = loadPolicy(file);
  }

  /** The policy in force. */
  get current(): Policy { return this.#current; }

  /**
   * Puts the file's new content in force and returns it. `prepare` may refuse it by throwing. Fails with POLICY_INVALID, or as `prepare` does;
   * then the old one stays in force.
   */
  reload(prepare: (next: Policy) => void = () => { /* nothing else depends on it */ }): Policy {
    const next = loadPolicy(this.file);
    prepare(next);
    this.#current = next;
    return next;
  }
}
