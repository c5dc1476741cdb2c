// A link to the id of a <dialog> opens it by :target without script; here it becomes a modal, with
// the focus inside and Escape closing it.
export function openDialogs(): void {
  document.addEventListener("click", (event) => {
    const link = event.target instanceof Element ? event.target.closest("a") : null;
    if (link === null || event.defaultPrevented) return;
    const target = link.getAttribute("href") ?? "";
    if (!target.startsWith("#")) return;
    const open = link.closest("dialog");
    const wanted = document.getElementById(target.slice(1));
    if (wanted instanceof HTMLDialogElement) {
      event.preventDefault();
      wanted.showModal();
    } else if (open !== null && open.open) {
      event.preventDefault();
      open.close();
    }
  });

  // Come by an address with the dialog's id: the same, as a modal.
  const named = document.getElementById(location.hash.slice(1));
  if (named instanceof HTMLDialogElement) named.showModal();
  // What is folded away opens with what the address names in it: not all browsers do this alone.
  const fold = named?.closest("details") ?? null;
  if (named !== null && fold !== null && !fold.open) {
    fold.open = true;
    named.scrollIntoView();
    named.focus();
  }
}

// An open menu closes when one goes on elsewhere, and with Escape.
export function closeMenus(): void {
  const close = (except: Element | null) => {
    for (const menu of document.querySelectorAll<HTMLDetailsElement>("details.menu[open]")) {
      if (menu !== except) menu.open = false;
    }
  };
  document.addEventListener("click", (event) => {
    close(event.target instanceof Element ? event.target.closest("details.menu") : null);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const open = document.activeElement?.closest("details.menu[open]");
    open?.querySelector("summary")?.focus();
    close(null);
  });
}
