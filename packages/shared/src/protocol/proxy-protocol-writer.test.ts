import { describe, expect, it } from '@jest/globals';
import { awaitProxyHeader } from './proxy-protocol.ts';
import { proxyBlock, proxyLine, sslTlvOf } from './proxy-protocol-writer.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const four = { source: { host: '192.0.2.1', port: 56324 }, destination: { host: '192.0.2.2', port: 443 } };
const six = { source: { host: '2001:db8::1', port: 1 }, destination: { host: '::1', port: 65535 } };

describe('a header of version 1', () => {
  it('is the line of the specification', () => {
    expect(Buffer.from(proxyLine(four)).toString()).toBe('PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n');
    expect(Buffer.from(proxyLine(six)).toString()).toBe('PROXY TCP6 2001:db8::1 ::1 1 65535\r\n');
    expect(Buffer.from(proxyLine()).toString()).toBe('PROXY UNKNOWN\r\n');
  });
});

describe('a header of version 2', () => {
  it('has signature, command, family, length and addresses in the order of the specification', () => {
    expect(hex(proxyBlock({ ends: four }))).toBe(
      '0d0a0d0a000d0a515549540a' + '2111' + '000c' + 'c0000201' + 'c0000202' + 'dc04' + '01bb',
    );
    expect(hex(proxyBlock({ ends: six }))).toBe(
      '0d0a0d0a000d0a515549540a' +
        '2121' +
        '0024' +
        '20010db8000000000000000000000001' +
        '00000000000000000000000000000001' +
        '0001' +
        'ffff',
    );
    expect(hex(proxyBlock({ command: 'LOCAL' }))).toBe('0d0a0d0a000d0a515549540a' + '2000' + '0000');
  });

  it('says of a proven client: TLS, a certificate on this connection, verified, its version and name', () => {
    expect(hex(sslTlvOf({ version: 'TLSv1.3', commonName: 'alice' }).value)).toBe(
      '07' + '00000000' + '210007' + hex(Buffer.from('TLSv1.3')) + '220005' + hex(Buffer.from('alice')),
    );
  });

  it('is what our own decoder reads, checksum included', () => {
    const tlvs = [{ type: 0x02, value: Buffer.from('web') }, sslTlvOf({ version: 'TLSv1.3', commonName: 'alice' })];
    const step = awaitProxyHeader().receive(proxyBlock({ ends: four, tlvs, checksum: true }));
    expect(step).toMatchObject({ state: 'done', value: { ...four, local: false } });
    expect(step.state === 'done' && step.value.tlvs.map(({ type, value }) => [type, hex(value)])).toEqual(
      tlvs.map(({ type, value }) => [type, hex(value)]),
    );
  });
});
