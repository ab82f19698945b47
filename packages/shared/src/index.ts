/** Everything the other packages may use of the shared one. */
export { AditError, codeOfWire, codes, messageOf, wireOfCode, type Code, type CodeRow, type Origin } from './errors.ts';
export { cidrContains, formatAddress, formatCidr, isMapped, parseAddress, parseCidr, unmapped, type Cidr, type Parsed } from './protocol/address.ts';
export { addressFamily, formatDestination, formatHostPort, isServiceName, parseDestination, parseHost, parsePort, type Destination } from './protocol/destination.ts';
