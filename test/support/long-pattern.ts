/** A regular expression that is too long for one line, in parts that follow each other; the first one has the flags. */
export function longPattern(first: RegExp, ...rest: readonly RegExp[]): RegExp {
  return new RegExp([first, ...rest].map(({ source }) => source).join(''), first.flags);
}
