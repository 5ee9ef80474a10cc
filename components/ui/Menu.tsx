"use client";

import dynamic from "next/dynamic";
import * as Slot from "radix-ui/slot";
import { type KeyboardEvent, lazy, Suspense, useState } from "react";
import type { MenuProps } from "./MenuParts";

const loadParts = () => import("./MenuParts");
const OpenedMenu = lazy(() => loadParts().then((parts) => ({ default: parts.OpenedMenu })));

export const MenuItem = dynamic(() => loadParts().then((parts) => parts.MenuItem));
export const MenuSeparator = dynamic(() => loadParts().then((parts) => parts.MenuSeparator));
export const MenuLabel = dynamic(() => loadParts().then((parts) => parts.MenuLabel));

/**
 * A drop-down menu of acts and links. A page has many, of which few are opened: until then each is its trigger alone, and the menus' code is loaded when one of
 * them is pointed at or focused.
 */
export function Menu(props: MenuProps) {
  const [wasOpened, setOpened] = useState(false);
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== "ArrowDown") return;
    event.preventDefault();
    setOpened(true);
  };
  const closed = (
    <Slot.Root
      aria-haspopup="menu"
      aria-expanded={false}
      onPointerEnter={loadParts}
      onFocus={loadParts}
      onClick={() => setOpened(true)}
      onKeyDown={onKeyDown}
    >
      {props.trigger}
    </Slot.Root>
  );
  if (!wasOpened) return closed;
  return (
    <Suspense fallback={closed}>
      <OpenedMenu {...props} />
    </Suspense>
  );
}
