/**
 * What an executable runs first: the program of the command that it is called with, from the assets inside of it.
 * Rule: only that program is compiled and kept in memory; `adit egress` has nothing of the CA. Its text is ASCII, as
 * the bundler writes it, so it is one byte a character and outside of the heap: `getAsset` would hold it twice.
 */
const { getRawAsset } = require('node:sea');
const { constants, compileFunction } = require('node:vm');

const [, , command] = process.argv;
const name = ['egress', 'ingress', 'connect'].includes(command) ? `${command}.js` : 'program.js';
const text = Buffer.from(getRawAsset(name)).latin1Slice();
const run = compileFunction(text, ['exports', 'require', 'module', '__filename', '__dirname'], {
  filename: name, // in the stack of a bug
  importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
});
run(exports, require, module, __filename, __dirname);
