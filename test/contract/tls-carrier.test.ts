import { certificates } from '../support/certificates.ts';
import { tlsPairs } from '../support/tls-pair.ts';
import { carrierContract } from './carrier-contract.ts';

const pair = await tlsPairs(certificates());

carrierContract('TLS', () => pair());
