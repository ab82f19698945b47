import { networkInterfaces } from 'node:os';
import { connect, type Socket } from 'node:net';
import { expect, test } from '@jest/globals';
import { service } from '../../../../test/support/services.ts';
import { atEnd, within } from '../../../../test/support/scope.ts';
import { peerAddress } from './peer-address.ts';

const hasIpv6 = Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === '::1'));

test.each([
  ['0.0.0.0', '127.0.0.1'],
  ...(hasIpv6
    ? [
        ['::', '127.0.0.1'],
        ['::', '::1'],
      ]
    : []),
])('a listener on %s calls a client at %s by that address', async (listens, from) => {
  let accept!: (socket: Socket) => void;
  const accepted = new Promise<Socket>((resolve) => {
    accept = resolve;
  });
  const { port } = await service((socket) => accept(socket), { host: listens });
  const socket = connect({ port, host: from, localAddress: from });
  atEnd(() => {
    socket.destroy();
  });
  const near = await within(30_000, 'the connection', accepted);
  expect(peerAddress(near)).toEqual({ host: from, port: near.remotePort });
  near.destroy();
});

test.each([
  [
    { remoteAddress: 'fe80::1%eth0', remotePort: 9 },
    { host: 'fe80::1', port: 9 },
  ],
  [{}, undefined],
])('%j is %j', (socket, address) => expect(peerAddress(socket as Socket)).toEqual(address));
