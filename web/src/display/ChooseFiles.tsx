import { Button, type ButtonProps } from "@mantine/core";
import { type ReactNode, useRef } from "react";

type Props = ButtonProps & {
  choose: (files: File[]) => void;
  accept?: string;
  multiple?: boolean;
  "aria-label"?: string;
  children: ReactNode;
};

/** A button that lets files be chosen; the same one again, too, once it was mended on the disk. */
export function ChooseFiles({ choose, accept, multiple, children, ...button }: Props) {
  const field = useRef<HTMLInputElement>(null);
  return (
    <>
      <input
        ref={field}
        type="file"
        hidden
        accept={accept}
        multiple={multiple}
        onChange={({ currentTarget }) => {
          const files = [...(currentTarget.files ?? [])];
          // Else a browser says nothing when the same file is chosen next.
          currentTarget.value = "";
          if (files.length > 0) choose(files);
        }}
      />
      <Button {...button} variant={button.variant ?? "default"} onClick={() => field.current?.click()}>
        {children}
      </Button>
    </>
  );
}
