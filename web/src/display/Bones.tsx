import { Skeleton, Stack } from "@mantine/core";

/** Lines of a table that is on its way, as high as the lines that will stand there. */
export function RowBones({ rows = 6 }: { rows?: number }) {
  return (
    <Stack gap={0} aria-hidden>
      {Array.from({ length: rows }, (_, row) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: these lines are all alike
        <div key={row} style={{ height: 36, padding: "11px 16px" }}>
          <Skeleton height={12} width={`${88 - ((row * 17) % 40)}%`} radius="sm" />
        </div>
      ))}
    </Stack>
  );
}

export function BlockBones({ height }: { height: number }) {
  return <Skeleton height={height} radius="md" aria-hidden />;
}
