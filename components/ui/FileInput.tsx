import type { ComponentProps } from "react";

type FileInputProps = Omit<ComponentProps<"input">, "type" | "onChange" | "className"> & {
  onFile: (file: File) => void;
};

/** The browser's own choice of a file, unseen, over all of the label that it is in: which is to be `relative`, and shows the focus. */
export function FileInput({ onFile, ...input }: FileInputProps) {
  return (
    <input
      {...input}
      type="file"
      onChange={(event) => {
        const [chosen] = event.target.files ?? [];
        if (chosen) onFile(chosen);
        // The same file again is a choice, too.
        event.target.value = "";
      }}
      className="absolute inset-0 cursor-[inherit] opacity-0"
    />
  );
}
