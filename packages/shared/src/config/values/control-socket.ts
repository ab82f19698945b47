/**
 * --control-socket: the path of a Unix socket, or `none`.
 * Rule: there is no default path. Everyone who may open the socket acts with the identity of the ingress, so the user
 * has to ask for it.
 */
import { parseSocketPath } from './listen-at.ts';
import { parsed, unparsed, type Parsed } from '../parsed.ts';

/** `none` overrides a path from a weaker source. */
export function parseControlSocket(text: string, from?: string): Parsed<string> {
  if (text === 'none') return parsed('none');
  if (text === '') return unparsed('empty: write the path of a Unix socket, as in ./control.sock, or none');
  const place = parseSocketPath(text, from);
  if (!place.ok) return place;
  return place.value.kind === 'unix' ? parsed(place.value.path) : unparsed('not the path of a socket');
}
