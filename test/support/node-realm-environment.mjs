/**
 * Jest's Node environment, mended: errors that Node's core raises live outside jest's vm context and fail `instanceof
 * Error` inside it.
 * Rule: only `Symbol.hasInstance` of the built-in error classes changes.
 */
import { TestEnvironment } from 'jest-environment-node';

const names = [
  'Error',
  'TypeError',
  'RangeError',
  'SyntaxError',
  'ReferenceError',
  'EvalError',
  'URIError',
  'AggregateError',
];
const plain = Function.prototype[Symbol.hasInstance];

export default class extends TestEnvironment {
  async setup() {
    await super.setup();
    for (const name of names) {
      const inner = this.global[name];
      const outer = globalThis[name];
      Object.defineProperty(inner, Symbol.hasInstance, {
        configurable: true,
        value(candidate) {
          return plain.call(this, candidate) || (this === inner && plain.call(outer, candidate));
        },
      });
    }
  }
}
