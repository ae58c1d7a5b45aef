import { Text } from "@mantine/core";
import { useMemo } from "react";
import { Copy } from "../display/Copy.tsx";
import { Panel } from "../display/Panel.tsx";
import { lines } from "./json.ts";
import classes from "./Payload.module.css";

/** What a job is to do, or what came of it, as its contract names it. */
export function Payload({ title, value, empty }: { title: string; value: unknown; empty: string }) {
  const shown = useMemo(() => (value === null || value === undefined ? [] : lines(value)), [value]);
  return (
    <Panel
      title={title}
      actions={shown.length > 0 ? <Copy text={JSON.stringify(value, null, 2)} what="as JSON" /> : null}
    >
      {shown.length === 0 ? (
        <Text size="sm" c="dimmed">
          {empty}
        </Text>
      ) : (
        <dl className={classes.lines}>
          {shown.map((line) => (
            <div key={line.path} style={{ paddingLeft: line.depth * 16 }}>
              <dt>{line.name.replaceAll("_", " ")}</dt>
              {line.text === null ? null : (
                <dd title={line.text}>
                  {line.text}
                  {line.more > 0 ? <span className={classes.more}> and {line.more} more</span> : null}
                </dd>
              )}
            </div>
          ))}
        </dl>
      )}
    </Panel>
  );
}
