// @vitest-environment jsdom
import { fireEvent, render, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useState } from "react";
import { expect, test, vi } from "vitest";
import { Surroundings } from "../tests/Surroundings.tsx";
import { type Column, DataTable } from "./DataTable.tsx";

type Row = { id: string; mean: number };
const ROWS: Row[] = [
  { id: "a", mean: 1 },
  { id: "b", mean: 3 },
  { id: "c", mean: 2 },
];
const COLUMNS: Column<Row>[] = [
  { key: "id", title: "Name", by: (it) => it.id, cell: (it) => it.id },
  { key: "mean", title: "Mean", numeric: true, by: (it) => it.mean, cell: (it) => it.mean },
];
const id = (row: Row) => row.id;

function Table({ open, looked }: { open?: (row: Row) => void; looked?: (id: string | null) => void }) {
  const [chosen, choose] = useState<Set<string>>(new Set());
  return (
    <Surroundings>
      <DataTable
        label="Rows"
        main
        rows={ROWS}
        columns={COLUMNS}
        id={id}
        open={open}
        onLook={looked}
        choice={{ chosen, choose }}
        empty="nothing"
      />
      <output>{[...chosen].join()}</output>
      <input aria-label="Field" />
    </Surroundings>
  );
}

const names = () =>
  screen
    .getAllByRole("row")
    .slice(1)
    .map((row) => within(row).getAllByRole("cell")[1]?.textContent);

test("a head sorts the table, and says so", async () => {
  render(<Table />);
  await userEvent.click(screen.getByRole("button", { name: "Mean" }));
  expect(names()).toEqual(["b", "c", "a"]);
  expect(screen.getByRole("columnheader", { name: "Mean" })).toHaveAttribute("aria-sort", "descending");
});

test("j and k move, x chooses, Enter opens, from anywhere on the page", () => {
  const open = vi.fn();
  const looked = vi.fn();
  render(<Table open={open} looked={looked} />);
  const press = (key: string) => fireEvent.keyDown(document.body, { key });
  press("j");
  press("j");
  expect(looked).toHaveBeenLastCalledWith("b");
  press("x");
  expect(screen.getByRole("status")).toHaveTextContent("b");
  press("k");
  press("Enter");
  expect(open).toHaveBeenCalledWith(ROWS[0]);
  press("x");
  press("x");
  expect(screen.getByRole("status")).toHaveTextContent("b");
});

test("what is typed into a field moves nothing", () => {
  const looked = vi.fn();
  render(<Table looked={looked} />);
  fireEvent.keyDown(screen.getByLabelText("Field"), { key: "j" });
  expect(looked).not.toHaveBeenCalled();
});

test("all are chosen and none with one click", async () => {
  render(<Table />);
  await userEvent.click(screen.getByLabelText("Choose all"));
  expect(screen.getByRole("status")).toHaveTextContent("a,b,c");
  await userEvent.click(screen.getByLabelText("Choose all"));
  expect(screen.getByRole("status")).toHaveTextContent("");
});

test("Enter and Space on a control press it, and nothing else", async () => {
  const open = vi.fn();
  render(<Table open={open} />);
  const press = (key: string) => fireEvent.keyDown(document.body, { key });
  press("j");
  screen.getByRole("button", { name: "Mean" }).focus();
  await userEvent.keyboard("{Enter}");
  expect(names()).toEqual(["b", "c", "a"]);
  expect(open).not.toHaveBeenCalled();
  screen.getByLabelText("Choose all").focus();
  await userEvent.keyboard(" ");
  expect(screen.getByRole("status")).toHaveTextContent("b,c,a");
});
