/**
 * The lines of a blocklist:
 *   example.com            that name and every name below it
 *   *.example.com          every name below it, not the name itself
 *   =example.com           that name alone
 *   0.0.0.0 a.example ...  a hosts file: those names alone; the address does not matter
 * Rule: a "#" begins a comment, and blank lines mean nothing. Any other line is a complaint with its number, never
 * skipped: what its author wanted to block would be open. Only the names that every hosts file has for its own machine
 * (localhost and the like) are skipped. The result does not depend on how the bytes are split; a line is at most 4 KiB.
 * Names come out in the one spelling of `parseHost`; Unicode names are mapped (UTS 46).
 */
import { domainToASCII } from 'node:url';
import { safeText } from '@adit/shared/observe/safe-text';
import type { Parsed } from '@adit/shared/protocol/address';
import { addressFamily, parseHost } from '@adit/shared/protocol/destination';
import { below, everything, itself, maxNames, type BlocklistBuilder, type Reach } from './blocklist.ts';

export const maxLineBytes = 4_096;
/** The first complaints are shown; the rest are counted. */
const maxShown = 5;
/** Names that hosts files give to the machine itself and its network. */
const ownNames = new Set([
  'localhost',
  'localhost.localdomain',
  'local',
  'broadcasthost',
  'ip6-localhost',
  'ip6-loopback',
  'ip6-localnet',
  'ip6-mcastprefix',
  'ip6-allnodes',
  'ip6-allrouters',
  'ip6-allhosts',
  '0.0.0.0',
]);
const notAscii = /[^\0-\x7f]/;
const lineFeed = 0x0a;
const nothing = new Uint8Array(0);
const tooLong = `the line is longer than ${maxLineBytes} bytes`;

const no = (reason: string): { readonly ok: false; readonly reason: string } => ({ ok: false, reason });

/** Reads the bytes of a file, in pieces of any size, into a builder. */
export class BlocklistReader {
  readonly #builder: BlocklistBuilder;
  readonly #decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  #rest: Uint8Array = nothing;
  #line = 0;
  #faults = 0;
  #stopped = false;
  readonly #shown: string[] = [];

  constructor(builder: BlocklistBuilder) {
    this.#builder = builder;
  }

  /** Why the file cannot be used, each as "LINE: reason"; empty where it can be used. */
  get complaints(): readonly string[] {
    return this.#faults > this.#shown.length
      ? [...this.#shown, `and ${this.#faults - this.#shown.length} more lines`]
      : this.#shown;
  }

  /** There is no point in reading on. */
  get hopeless(): boolean {
    return this.#stopped;
  }

  /** Takes the next bytes, and keeps none of them but the beginning of an unfinished line. */
  receive(chunk: Uint8Array): void {
    if (this.#stopped) return;
    const end = chunk.lastIndexOf(lineFeed) + 1;
    const whole = end === 0 ? undefined : joined(this.#rest, chunk.subarray(0, end - 1));
    this.#rest = end === 0 ? joined(this.#rest, chunk) : chunk.slice(end);
    if (whole !== undefined) this.#lines(whole);
    if (this.#rest.length > maxLineBytes && !this.#stopped) this.#stop(this.#line + 1, tooLong);
  }

  /** The file is over. */
  end(): void {
    if (this.#rest.length > 0 && !this.#stopped) this.#lines(this.#rest);
    this.#rest = nothing;
  }

  #lines(bytes: Uint8Array): void {
    for (const text of this.#texts(bytes)) {
      if (this.#stopped) return;
      this.#line++;
      if (text !== undefined && text.length > 0) this.#read(this.#line === 1 ? text.replace(/^\ufeff/, '') : text);
    }
  }

  /** Decodes all lines at once; where that fails, one by one to find the faulty line. */
  #texts(bytes: Uint8Array): readonly (string | undefined)[] {
    try {
      return this.#decoder.decode(bytes).split('\n');
    } catch {
      return splitLines(bytes).map((line, at) => this.#decoded(line, this.#line + 1 + at));
    }
  }

  #decoded(line: Uint8Array, number: number): string | undefined {
    try {
      return line.length > maxLineBytes ? Buffer.from(line).toString('latin1') : this.#decoder.decode(line);
    } catch {
      this.#complain(number, 'it is not UTF-8');
      return undefined;
    }
  }

  #read(text: string): void {
    if (text.length > maxLineBytes || (text.length > maxLineBytes / 4 && Buffer.byteLength(text) > maxLineBytes))
      return this.#stop(this.#line, tooLong);
    const hash = text.indexOf('#');
    const words = (hash < 0 ? text : text.slice(0, hash)).trim().split(/[ \t]+/);
    const [first] = words as [string, ...string[]];
    if (first === '') return;
    if (words.length === 1) this.#add(first);
    else if (addressFamily(first.replace(/%.*$/, '')) === 0)
      this.#complain(
        this.#line,
        `"${safeText(text, { maxLength: 80 })}" has more than one word: write one name, or a line of a hosts file`,
      );
    else for (const name of words.slice(1)) if (!ownNames.has(name.toLowerCase())) this.#add(`=${name}`);
  }

  #add(word: string): void {
    const reach: Reach = word.startsWith('=') ? itself : word.startsWith('*.') ? below : everything;
    const name = parseListed(word.slice(reach === everything ? 0 : reach === itself ? 1 : 2));
    if (name.ok && this.#builder.count >= maxNames) this.#stop(this.#line, `there are more than ${maxNames} names`);
    else if (name.ok) this.#builder.add(name.value, { reach, line: this.#line });
    else this.#complain(this.#line, `"${safeText(word, { maxLength: 80 })}": ${name.reason}`);
  }

  #stop(line: number, reason: string): void {
    this.#stopped = true;
    this.#complain(line, reason);
  }

  #complain(line: number, reason: string): void {
    this.#faults++;
    if (this.#shown.length < maxShown) this.#shown.push(`${line}: ${reason}`);
  }
}

/** A name in its one spelling; an address is not a name. */
function parseListed(text: string): Parsed<string> {
  const ascii = notAscii.test(text) ? domainToASCII(text) : text;
  if (ascii === '' && text !== '') return no('it is not a name that IDNA allows');
  const parsed = parseHost(ascii);
  if (!parsed.ok)
    return /characters|colon/.test(parsed.reason)
      ? no('write one name in a line, without scheme, port or path: example.com, *.example.com or =example.com')
      : parsed;
  return addressFamily(parsed.value) === 0
    ? parsed
    : no('addresses and ranges go into "deny" of a rule, as 203.0.113.7:* or 203.0.113.0/24:*');
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  return a.length === 0 ? b.slice() : Buffer.concat([a, b]);
}

function splitLines(bytes: Uint8Array): Uint8Array[] {
  const lines: Uint8Array[] = [];
  let from = 0;
  for (let at = bytes.indexOf(lineFeed); at >= 0; at = bytes.indexOf(lineFeed, from)) {
    lines.push(bytes.subarray(from, at));
    from = at + 1;
  }
  return [...lines, bytes.subarray(from)];
}
