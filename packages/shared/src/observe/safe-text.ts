/**
 * Text that a peer or a user wrote, made safe for a log line, a terminal and a complaint.
 * Rule: the result is one line of visible characters, without direction overrides and of bounded length, so that nobody
 * can forge a log line, move the cursor, or make one name look like another.
 */

export interface SafeTextOptions {
  /** In UTF-16 units, before escaping; an ellipsis shows that text was cut. Default 256. */
  readonly maxLength?: number;
}

/**
 * Controls (C0, DEL, C1), line and paragraph separators, bidi marks and overrides, zero-width characters, the BOM,
 * tags, lone surrogates.
 */
const unsafe = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}\p{Cn}]/gu;
/** Most text, which needs no escapes. */
const plain = /^[ -~]*$/;
const short: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** The text with every unsafe character as an escape: `\n`, `\x1b`, `\u202e`. */
export function safeText(text: string, { maxLength = 256 }: SafeTextOptions = {}): string {
  if (text.length <= maxLength && plain.test(text)) return text;
  const kept = text.length > maxLength ? `${text.slice(0, maxLength).replace(/[\ud800-\udbff]$/, '')}…` : text;
  return kept.replace(unsafe, (character) => short[character] ?? escape(character.codePointAt(0)!));
}

function escape(code: number): string {
  if (code < 0x100) return `\\x${code.toString(16).padStart(2, '0')}`;
  return code < 0x10000 ? `\\u${code.toString(16).padStart(4, '0')}` : `\\u{${code.toString(16)}}`;
}
