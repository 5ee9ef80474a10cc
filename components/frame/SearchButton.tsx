"use client";

import { Search } from "lucide-react";
import dynamic from "next/dynamic";
import { useEffect, useState } from "react";
import { Kbd } from "../ui/Kbd";

const CommandPalette = dynamic(() => import("./CommandPalette").then((module) => module.CommandPalette), {
  ssr: false,
});

/** Opens the command palette, as does Cmd/Ctrl-K. The palette itself is loaded when it is first asked for. */
export function SearchButton() {
  const [isOpen, setOpen] = useState(false);
  const [wasOpened, setOpened] = useState(false);

  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.key.toLowerCase() !== "k" || !(event.metaKey || event.ctrlKey) || event.shiftKey || event.altKey)
        return;
      // Inside a VM's screen or serial line the keys belong to the guest.
      if (event.target instanceof Element && event.target.closest("[data-captures-keys]")) return;
      event.preventDefault();
      setOpened(true);
      setOpen((open) => !open);
    };
    window.addEventListener("keydown", onKeyDown);
    return () => window.removeEventListener("keydown", onKeyDown);
  }, []);

  return (
    <>
      <button
        type="button"
        aria-label="Search or run a command"
        aria-keyshortcuts="Meta+K Control+K"
        onClick={() => {
          setOpened(true);
          setOpen(true);
        }}
        className="mr-1 flex h-7 items-center gap-2 rounded-md border border-line-strong bg-surface px-2 text-faint text-sm transition-colors duration-100 hover:border-control hover:text-muted md:w-52"
      >
        <Search aria-hidden className="size-3.5" />
        <span className="hidden flex-1 text-left md:inline">Search</span>
        <span aria-hidden className="hidden md:inline">
          <Kbd>Ctrl K</Kbd>
        </span>
      </button>
      {wasOpened ? <CommandPalette open={isOpen} onOpenChange={setOpen} /> : null}
    </>
  );
}
