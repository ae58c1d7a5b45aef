/** One server-sent event, as it came. */
export type Message = { id: string | null; event: string; data: string };

/**
 * Reads server-sent events out of text that arrives in any pieces (WHATWG HTML, 9.2). `push` answers with the
 * messages that the piece completed; `lastId` is where to go on after a break.
 */
export class Parser {
  lastId: string | null = null;
  private rest = "";
  private id: string | null = null;
  private event = "";
  private data: string[] = [];

  push(piece: string): Message[] {
    this.rest += piece;
    const done: Message[] = [];
    // A line ends with CR LF, LF or CR; a CR at the very end may be half of a CR LF.
    const lines = /(\r\n|\n|\r(?=[^\n]))/;
    for (;;) {
      const found = lines.exec(this.rest);
      if (!found) return done;
      const line = this.rest.slice(0, found.index);
      this.rest = this.rest.slice(found.index + found[0].length);
      const message = this.take(line);
      if (message) done.push(message);
    }
  }

  private take(line: string): Message | null {
    if (line === "") return this.finish();
    if (line.startsWith(":")) return null;
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "data") this.data.push(value);
    else if (field === "event") this.event = value;
    else if (field === "id" && !value.includes("\0")) this.id = value;
    return null;
  }

  private finish(): Message | null {
    if (this.id !== null) this.lastId = this.id;
    const message =
      this.data.length > 0
        ? { id: this.lastId, event: this.event || "message", data: this.data.join("\n") }
        : null;
    this.event = "";
    this.data = [];
    return message;
  }
}
