import { describe, expect, test } from "vitest";
import { Parser } from "./parse.ts";

describe("server-sent events", () => {
  test("are read whole whatever pieces they come in", () => {
    const text =
      'id: 7\nevent: RoundClosed\ndata: {"position":7}\n\n: keep-alive\n\nid: 8\ndata: a\ndata: b\n\n';
    for (let size = 1; size <= text.length; size++) {
      const parser = new Parser();
      const pieces = text.match(new RegExp(`[\\s\\S]{1,${size}}`, "g")) ?? [];
      const found = pieces.flatMap((piece) => parser.push(piece));
      expect(found).toEqual([
        { id: "7", event: "RoundClosed", data: '{"position":7}' },
        { id: "8", event: "message", data: "a\nb" },
      ]);
      expect(parser.lastId).toBe("8");
    }
  });

  test("may end their lines with CR LF or CR", () => {
    expect(new Parser().push("data: x\r\n\r\n")).toEqual([{ id: null, event: "message", data: "x" }]);
    expect(new Parser().push("data: x\r\rdata: y\r\r.")).toEqual([
      { id: null, event: "message", data: "x" },
      { id: null, event: "message", data: "y" },
    ]);
  });

  test("that break off in the middle are not taken", () => {
    const parser = new Parser();
    expect(parser.push("id: 1\ndata: x\n\nid: 2\ndata: y\n")).toHaveLength(1);
    expect(parser.lastId).toBe("1");
  });
});
