// Places in a text, as the server names them: lines and columns from 1, columns in characters.

/** Of the text as a text area has it: with one kind of line ends. */
export const plainLines = (text: string) => text.replace(/\r\n?/g, "\n");

export const lineCount = (text: string) => text.split("\n").length;

/** Where in the text a line and a column are; at its end where it has no such line any more. */
export function offsetOf(text: string, line: number, column: number): number {
  let start = 0;
  for (let at = 1; at < line; at++) {
    const end = text.indexOf("\n", start);
    if (end < 0) return text.length;
    start = end + 1;
  }
  const end = text.indexOf("\n", start);
  const characters = Array.from(text.slice(start, end < 0 ? text.length : end));
  return start + characters.slice(0, Math.max(0, column - 1)).join("").length;
}
