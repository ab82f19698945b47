/**
 * Where the transparent front end listens: `[BIND:]PORT` or `systemd:NAME`; with `?tproxy` at the end, TPROXY rules of
 * the firewall lead there.
 * Rule: a Unix socket and a PROXY header are refused, because a firewall cannot redirect to them.
 */
import { quote } from '../complaint.ts';
import { parseListenSpec, type ListenSpec } from './listen-at.ts';
import { parsed, unparsed, type Parsed } from '../parsed.ts';

export interface TransparentSpec extends Omit<ListenSpec, 'acceptProxy'> {
  /** Absent: REDIRECT or DNAT. */
  readonly tproxy?: true;
}

/** A whole setting: `4000`, `*:4000`, `[::1]:4000?tproxy`, `systemd:adit?tproxy`. */
export function parseTransparentSpec(text: string): Parsed<TransparentSpec> {
  const mark = text.indexOf('?');
  const place = mark < 0 ? text : text.slice(0, mark);
  if (mark >= 0 && text.slice(mark) !== '?tproxy')
    return unparsed(`${quote(text.slice(mark))} is not an option of a transparent listener: only ?tproxy is`);
  const at = parseListenSpec(place);
  if (!at.ok) return at;
  const { listen } = at.value;
  if (listen.kind === 'unix')
    return unparsed('connections cannot be redirected to a Unix socket: write [BIND:]PORT, as in 4000 or *:4000');
  return parsed({ listen, ...(mark >= 0 && { tproxy: true }), spec: text });
}
