/**
 * The demo model's own tokeniser. The rule, so that every count can be checked by hand: a token is a run of
 * up to 12 letters, digits or underscores, or one other character, together with up to 8 white-space
 * characters before it; left-over white space makes tokens of up to 8. Nothing is lost: the tokens joined are
 * the text.
 *
 * The rule only looks ahead within one token, so any prefix that ends between two tokens splits the same way.
 * Answers can therefore be cut after n tokens and still count n.
 */
const TOKEN = /\s{0,8}[\p{L}\p{M}\p{N}_]{1,12}|\s{0,8}[^\s\p{L}\p{M}\p{N}_]|\s{1,8}/gu;

/** All tokens of `text`, or the first `limit`. */
export function tokenise(text: string, limit = Infinity): string[] {
  const tokens: string[] = [];
  TOKEN.lastIndex = 0;
  let from = 0;
  while (tokens.length < limit && TOKEN.test(text)) {
    tokens.push(text.slice(from, TOKEN.lastIndex));
    from = TOKEN.lastIndex;
  }
  return tokens;
}

/**
 * How many tokens `text` has; stops counting at `limit`, so that a huge text costs no more than the limit.
 */
export function countTokens(text: string, limit = Infinity): number {
  let count = 0;
  TOKEN.lastIndex = 0;
  while (count < limit && TOKEN.test(text)) count++;
  return count;
}
