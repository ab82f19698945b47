/** Everything the other packages may use of the shared one. */
export { AditError, codeOfWire, codes, messageOf, wireOfCode, type Code, type CodeRow, type Origin } from './errors.ts';
