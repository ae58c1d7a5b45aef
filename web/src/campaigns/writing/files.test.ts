import { expect, test } from "vitest";
import type { Campaign } from "../../api/types.ts";
import { campaignAmong, digestsOf, filesOf, matched, rowsOf, sizeWords, type UnderWay } from "./files.ts";

const file = (name: string) => ({ name });
const genes = { field: "design.genes_file", name: "genes.csv" };
const features = { field: "model.features[0]", name: "data/features.parquet" };

test("chosen files are known by their name, also without folder and with other capitals", () => {
  const { found, strangers } = matched(
    [file("GENES.csv"), file("features.parquet"), file("notes.txt")],
    [genes.name, features.name],
  );
  expect(found.map((it) => [it.file.name, it.name])).toEqual([
    ["GENES.csv", "genes.csv"],
    ["features.parquet", "data/features.parquet"],
  ]);
  expect(strangers).toEqual([file("notes.txt")]);
});

test("a name in two folders is left for people to say, one that fits exactly is not", () => {
  expect(matched([file("x.csv")], ["a/x.csv", "b/x.csv"]).strangers).toHaveLength(1);
  expect(matched([file("x.csv")], ["x.csv", "X.csv"]).found).toEqual([
    { name: "x.csv", file: file("x.csv") },
  ]);
});

test("a file that two fields name is one row; under way counts before stored, stored before earlier", () => {
  const twice = { field: "model.priors[0]", name: features.name };
  const earlier = { campaign: "demo", files: { [features.name]: "e" } };
  const stored = { [genes.name]: { sha256: "s", title: "mine.csv", size: 1 } };
  const rows = rowsOf([genes, features, twice], { stored, earlier }, {});
  expect(rows).toEqual([
    { name: genes.name, fields: [genes.field], state: "stored", sha256: "s", title: "mine.csv", size: 1 },
    {
      name: features.name,
      fields: [features.field, twice.field],
      state: "earlier",
      campaign: "demo",
      sha256: "e",
    },
  ]);
  expect(digestsOf(rows)).toEqual({ [genes.name]: "s", [features.name]: "e" });
  const sending: UnderWay = { state: "sending", title: "new.csv", size: 2 };
  const again = rowsOf([genes], { stored, earlier: null }, { [genes.name]: sending });
  expect(again[0]?.state).toBe("sending");
  expect(digestsOf(again)).toEqual({});
  expect(rowsOf([genes], { stored: {}, earlier: null }, {})[0]?.state).toBe("missing");
});

test("an earlier campaign gives its features and priors, in their order, and no genes", () => {
  const campaign = {
    spec: { design: { genes_file: "genes.csv" }, model: { features: ["f.csv", "g.csv"], priors: ["p.csv"] } },
    features: ["1", "2"],
    priors: ["3"],
  } as unknown as Campaign;
  expect(filesOf(campaign)).toEqual({ "f.csv": "1", "g.csv": "2", "p.csv": "3" });
});

test("the campaign file is found among what was dropped, where there is one", () => {
  const dropped = [file("genes.csv"), file("campaign.toml")];
  expect(campaignAmong(dropped, [])).toEqual({ campaign: dropped[1], rest: [dropped[0]] });
  expect(campaignAmong([file("a.toml"), file("b.toml")], []).campaign).toBeUndefined();
});

test.each([
  [12, "12 bytes"],
  [3_400, "3.4 kB"],
  [999_900, "1.0 MB"],
  [536_870_912, "537 MB"],
])("%i bytes are %s", (bytes, words) => expect(sizeWords(bytes)).toBe(words));
