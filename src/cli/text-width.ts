/** How many columns of a terminal a text takes: names of models and users are written in every script. */

const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}/u;
const NOTHING = /[\p{Mn}\p{Me}\p{Cf}]/u;

function widthOf(character: string): number {
  if (character <= "\u02ff") return 1;
  if (NOTHING.test(character)) return 0;
  return WIDE.test(character) ? 2 : 1;
}

export function textWidth(text: string): number {
  let width = 0;
  for (const character of text) width += widthOf(character);
  return width;
}

/** Cut to so many columns, with `…` where something is missing. */
export function clipToWidth(text: string, most: number): string {
  if (textWidth(text) <= most) return text;
  let width = 1;
  let kept = "";
  for (const character of text) {
    width += widthOf(character);
    if (width > most) break;
    kept += character;
  }
  return `${kept}…`;
}

/** Exactly so many columns; `flushRight` puts the blanks in front. */
export function fitToWidth(text: string, columns: number, flushRight = false): string {
  const clipped = clipToWidth(text, columns);
  const blanks = " ".repeat(Math.max(0, columns - textWidth(clipped)));
  return flushRight ? blanks + clipped : clipped + blanks;
}
