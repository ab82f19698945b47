/** The ways to ask a SOCKS proxy, as bytes in latin1. */
import type { Dialect } from './front-end-contract.ts';

const at = (port: number): string => String.fromCharCode(port >> 8, port & 0xff);
const loopback = '\x7f\x00\x00\x01';
const noPassword = '\x05\x00';
const passwordTaken = '\x05\x02\x01\x00';
const reply5 = (reply: number, before = noPassword): string =>
  `${before}\x05${String.fromCharCode(reply)}\x00\x01${'\x00'.repeat(6)}`;
const refused5 =
  (before?: string): Dialect['refused'] =>
  (why) =>
    reply5({ denied: 2, closed: 5, unreachable: 1 }[why], before);

export const socks5: Dialect = {
  name: 'SOCKS5 by address',
  frontEnd: 'socks',
  request: (port) => `\x05\x01\x00\x05\x01\x00\x01${loopback}${at(port)}`,
  accepted: reply5(0),
  refused: refused5(),
};
export const socks5ByName: Dialect = {
  ...socks5,
  name: 'SOCKS5 by name',
  request: (port) => `\x05\x02\x00\x02\x05\x01\x00\x03\x09127.0.0.1${at(port)}`,
};
export const socks5WithPassword: Dialect = {
  ...socks5,
  name: 'SOCKS5 with a password',
  request: (port) => `\x05\x02\x00\x02\x01\x05alice\x06s3cret\x05\x01\x00\x01${loopback}${at(port)}`,
  accepted: reply5(0, passwordTaken),
  refused: refused5(passwordTaken),
};
export const socks4: Dialect = {
  name: 'SOCKS4',
  frontEnd: 'socks',
  request: (port) => `\x04\x01${at(port)}${loopback}bob\x00`,
  accepted: `\x00\x5a${'\x00'.repeat(6)}`,
  refused: () => `\x00\x5b${'\x00'.repeat(6)}`,
};
export const socks4a: Dialect = {
  ...socks4,
  name: 'SOCKS4a',
  request: (port) => `\x04\x01${at(port)}\x00\x00\x00\x01\x00127.0.0.1\x00`,
};
