import { Text } from "@mantine/core";
import { useMemo } from "react";
import { Copy } from "../display/Copy.tsx";
import { words } from "../display/format.ts";
import { Panel } from "../display/Panel.tsx";
import { isEmpty, type Shape, shapeOf } from "./json.ts";
import classes from "./Payload.module.css";

/** What a job is to do, or what came of it, as its contract names it. */
export function Payload({ title, value, empty }: { title: string; value: unknown; empty: string }) {
  const nothing = isEmpty(value);
  return (
    <Panel
      title={title}
      actions={nothing ? null : <Copy text={JSON.stringify(value, null, 2)} what="as JSON" />}
    >
      {nothing ? (
        <Text size="sm" c="dimmed">
          {empty}
        </Text>
      ) : (
        <div className={classes.scroll}>
          <Fields value={value} />
        </div>
      )}
    </Panel>
  );
}

/** The same without a frame. */
export function Fields({ value }: { value: unknown }) {
  const shape = useMemo(() => shapeOf(value), [value]);
  return <Shown shape={shape} />;
}

function Shown({ shape }: { shape: Shape }) {
  switch (shape.kind) {
    case "text":
      return (
        <span className={classes.text}>
          {shape.text}
          <More more={shape.more} />
        </span>
      );
    case "fields":
      return (
        <dl className={classes.fields}>
          {shape.fields.map(({ name, shape: inner }) => (
            <div key={name} data-block={inner.kind === "text" ? undefined : true}>
              <dt>{words(name)}</dt>
              <dd>
                <Shown shape={inner} />
              </dd>
            </div>
          ))}
        </dl>
      );
    case "table":
      return (
        <div className={classes.wide}>
          <table className={classes.table}>
            <thead>
              <tr>
                {shape.columns.map((column) => (
                  <th key={column} scope="col">
                    {words(column)}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {shape.rows.map((row, at) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: the rows of a payload have no name but their place
                <tr key={at}>
                  {row.map((cell, column) => (
                    <td key={shape.columns[column]}>{cell}</td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
          <More more={shape.more} />
        </div>
      );
    case "list":
      return (
        <ol className={classes.list}>
          {shape.items.map((item, at) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: the items of a payload have no name but their place
            <li key={at}>
              <Shown shape={item} />
            </li>
          ))}
          <More more={shape.more} />
        </ol>
      );
  }
}

function More({ more }: { more: number }) {
  return more > 0 ? <span className={classes.more}> and {more} more</span> : null;
}
