// @vitest-environment jsdom
import { fireEvent, render, screen } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import { type MapWell, PlateMap } from "./PlateMap.tsx";

const WELLS: MapWell[] = [
  { well: "A1", role: "sample", fill: "#440154", title: "A1: TP53" },
  { well: "B1", role: "negative_control", fill: "#ffffff", title: "B1: negative control" },
];

test("cursor keys go from well to well, say what stands there, and Enter chooses it", () => {
  const looked = vi.fn();
  const chosen = vi.fn();
  const format = { rows: 8, columns: 12 };
  render(<PlateMap format={format} wells={WELLS} label="Plate" onLook={looked} onChoose={chosen} />);
  const plate = screen.getByRole("img");
  const press = (key: string) => fireEvent.keyDown(plate, { key });

  press("ArrowRight");
  expect(looked).toHaveBeenLastCalledWith("A1");
  expect(plate).toHaveAccessibleName("Plate. A1: TP53");
  press("ArrowDown");
  press("Enter");
  expect(chosen).toHaveBeenCalledWith("B1");
  press("ArrowDown");
  expect(plate).toHaveAccessibleName("Plate. C1: empty");
});

test("controls are told from experiments without colour", () => {
  const { container } = render(<PlateMap format={{ rows: 8, columns: 12 }} wells={WELLS} label="Plate" />);
  const [sample, control] = [...container.querySelectorAll("svg > g:not([aria-hidden])")];
  expect(sample?.querySelectorAll("rect")).toHaveLength(1);
  expect(control?.querySelectorAll("rect")).toHaveLength(2);
});
