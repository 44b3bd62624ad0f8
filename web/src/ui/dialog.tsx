import { Modal, type ModalProps } from "@mantine/core";
import { useEffect, useRef, useState } from "react";

/**
 * A dialog that is there while it is open. The focus goes back to what opened it: Mantine does that
 * only for dialogs that stay mounted.
 */
export function Dialog(props: Omit<ModalProps, "opened">) {
  const [opener] = useState(() => openerOf(document.activeElement));
  const dialog = useRef<HTMLDivElement>(null);
  useEffect(() => {
    // A menu gives the focus to its button a moment after the dialog has taken it.
    const takeBack = () =>
      (
        dialog.current?.querySelector<HTMLElement>("[data-autofocus]") ??
        dialog.current?.querySelector("button")
      )?.focus();
    opener?.addEventListener("focus", takeBack);
    return () => {
      opener?.removeEventListener("focus", takeBack);
      // What had the focus inside is gone only after this.
      setTimeout(() => {
        const isFree = document.activeElement === null || document.activeElement === document.body;
        if (isFree && opener?.isConnected) opener.focus({ preventScroll: true });
      });
    };
  }, [opener]);
  return (
    <Modal opened closeButtonProps={{ "aria-label": "Close the dialog" }} {...props} ref={dialog} />
  );
}

/** What had the focus; for an item of a menu, which closes, the button of the menu. */
function openerOf(active: Element | null): HTMLElement | null {
  const button = active?.closest("[role=menu]")?.getAttribute("aria-labelledby");
  const opener = button ? document.getElementById(button) : active;
  return opener instanceof HTMLElement ? opener : null;
}
