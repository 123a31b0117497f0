/** Text that is longer than a model reads at once, in pieces that end between words where there are any. */

/** UTF-16 units; some 200 English words, which is as much as one vector can say. */
const LONGEST_PIECE = 1200;
/** A piece is not cut shorter than this for the sake of a word. */
const SHORTEST_PIECE = 600;

export function piecesOf(text: string): string[] {
  const pieces: string[] = [];
  let from = 0;
  while (text.length - from > LONGEST_PIECE) {
    let to = from + LONGEST_PIECE;
    for (let at = to; at > from + SHORTEST_PIECE; at--) {
      if (/\s/.test(text[at]!)) {
        to = at;
        break;
      }
    }
    // Not between the halves of a surrogate pair.
    if (/[\udc00-\udfff]/.test(text[to]!) && /[\ud800-\udbff]/.test(text[to - 1]!)) to--;
    pieces.push(text.slice(from, to));
    from = to;
  }
  pieces.push(text.slice(from));
  return pieces.filter((piece) => piece.trim() !== "");
}
