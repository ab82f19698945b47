/** The packages of Node name their platform as a word, where pnpm reads a list and would install every one of them. */
export const hooks = {
  readPackage(manifest) {
    for (const field of ['os', 'cpu']) if (typeof manifest[field] === 'string') manifest[field] = [manifest[field]];
    return manifest;
  },
};
