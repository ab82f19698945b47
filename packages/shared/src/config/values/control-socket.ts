/**
 * --control-socket: the path of a Unix socket, or `none`.
 * Rule: there is no default path: whoever may open the socket has the identity of the ingress, so that it is somebody's
 * decision.
 */
import { parseSocketPath } from './listen-at.ts';
import { parsed, unparsed, type Parsed } from '../parsed.ts';

/** `none` turns off what a weaker source says. */
export function parseControlSocket(text: string, from?: string): Parsed<string> {
  if (text === 'none') return parsed('none');
  if (text === '') return unparsed('empty: write the path of a Unix socket, as in ./control.sock, or none');
  const place = parseSocketPath(text, from);
  if (!place.ok) return place;
  return place.value.kind === 'unix' ? parsed(place.value.path) : unparsed('not the path of a socket');
}
