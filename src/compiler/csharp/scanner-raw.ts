/**
 * The content of raw string literals (C# 11): a literal over several lines loses its first and last line end and the
 * indentation of its closing line.
 */

/** @param content everything between the quotes */
export function rawText(content: string): { text: string; problem: string | null } {
  const { texts, problem } = rawContents([content]);
  return { text: texts[0]!, problem };
}

/** The same for the texts between the holes of an interpolated one, first to last. */
export function rawContents(parts: readonly string[]): { texts: string[]; problem: string | null } {
  const texts = [...parts];
  const first = texts[0] ?? "";
  if (!/^[ \t]*(\r\n|\n|\r)/.test(first)) {
    return {
      texts,
      problem: parts.some((part) => /[\r\n]/.test(part)) ? "the text must start on a new line" : null,
    };
  }
  const closing = /(\r\n|\n|\r)([ \t]*)$/.exec(texts.at(-1)!);
  if (closing === null) return { texts, problem: "the closing quotes must stand on a line of their own" };
  const indentation = closing[2]!;
  const last = texts.length - 1;
  texts[last] = texts[last]!.slice(0, closing.index);
  let problem: string | null = null;
  const outdent = (text: string): string =>
    text.replace(/(\r\n|\n|\r)([ \t]*)(?=([\r\n]?))/g, (_, end: string, spaces: string, next: string) => {
      if (spaces.startsWith(indentation)) return end + spaces.slice(indentation.length);
      if (next === "") problem = "every line must be indented like the closing quotes";
      return end;
    });
  for (let i = 0; i < texts.length; i++) texts[i] = outdent(texts[i]!);
  // Only one line end is left when the content is empty: it was first and last.
  texts[0] = texts[0]!.replace(/^[ \t]*(\r\n|\n|\r)?/, (head, end: string | undefined) =>
    end === undefined && last > 0 ? head : "",
  );
  return { texts, problem };
}
