import { describe, expect, it } from '@jest/globals';
import { parseAddress, unmapped } from '@adit/shared/protocol/address';
import { classify, embedded } from './special.ts';

const kind = (text: string) => classify(unmapped(parseAddress(text)!));

describe('special addresses', () => {
  it.each([
    ['1.1.1.1', 'public', 0],
    ['2606:4700::1', 'public', 0],
    ['172.32.0.1', 'public', 0],
    ['100.128.0.1', 'public', 0],
    ['11.0.0.1', 'public', 0],
    ['9.255.255.255', 'public', 0],
    ['10.0.0.1', 'private', 8],
    ['172.16.0.1', 'private', 12],
    ['172.31.255.255', 'private', 12],
    ['192.168.1.1', 'private', 16],
    ['100.64.0.1', 'private', 10],
    ['100.127.255.255', 'private', 10],
    ['198.19.0.1', 'private', 15],
    ['fd00::1', 'private', 7],
    ['fc00::1', 'private', 7],
    ['fec0::1', 'private', 10],
    ['127.0.0.1', 'loopback', 8],
    ['127.255.255.254', 'loopback', 8],
    ['::1', 'loopback', 128],
    ['0.0.0.0', 'unspecified', 8],
    ['0.1.2.3', 'unspecified', 8],
    ['::', 'unspecified', 128],
    ['169.254.1.1', 'link-local', 16],
    ['fe80::1', 'link-local', 10],
    ['febf::1', 'link-local', 10],
    ['169.254.169.254', 'metadata', 32],
    ['169.254.170.2', 'metadata', 32],
    ['100.100.100.200', 'metadata', 32],
    ['168.63.129.16', 'metadata', 32],
    ['fd00:ec2::254', 'metadata', 128],
    ['224.0.0.1', 'multicast', 4],
    ['ff02::1', 'multicast', 8],
    ['255.255.255.255', 'reserved', 4],
    ['240.0.0.1', 'reserved', 4],
    ['100::1', 'reserved', 64],
  ])('%s is %s, and a range of /%i names it', (text, expected, minPrefix) => {
    expect(kind(text)).toMatchObject({ kind: expected, minPrefix });
  });

  it.each([
    ['::ffff:127.0.0.1', 'loopback', 8],
    ['64:ff9b::7f00:1', 'loopback', 104],
    ['64:ff9b::169.254.169.254', 'metadata', 128],
    ['64:ff9b::10.0.0.1', 'private', 104],
    ['64:ff9b::1.1.1.1', 'public', 0],
    ['64:ff9b:1::127.0.0.1', 'loopback', 104],
    ['::127.0.0.1', 'loopback', 104],
    ['::ffff:0:127.0.0.1', 'loopback', 104],
    ['2002:7f00:1::', 'loopback', 24],
    ['2002:a9fe:a9fe::1', 'metadata', 48],
    ['2002:101:101::1', 'public', 0],
    // Teredo keeps the complement of the client's address in its last four bytes.
    ['2001:0:4136:e378:8000:63bf:80ff:fffe', 'loopback', 104],
    ['2001:0:4136:e378:8000:63bf:5601:5601', 'metadata', 128],
    ['fe80::5efe:127.0.0.1', 'loopback', 104],
    ['2606:4700::5efe:10.0.0.1', 'private', 104],
    ['2606:4700::200:5efe:169.254.169.254', 'metadata', 128],
  ])('%s carries %s and is named by a range of /%i', (text, expected, minPrefix) => {
    expect(kind(text)).toMatchObject({ kind: expected, minPrefix });
  });

  it('carry nothing when they are ::, ::1 or IPv4', () => {
    for (const text of ['::', '::1', '10.0.0.1', '2606:4700::1']) expect(embedded(parseAddress(text)!)).toBeUndefined();
  });
});
