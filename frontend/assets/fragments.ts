import htmx from "htmx.org";

// No eval (the content security policy forbids it), no request to another site, and no page kept
// in the browser's storage: a shared office computer would show it to the next person.
export function startHtmx(): void {
  Object.assign(htmx.config, {
    allowEval: false,
    allowScriptTags: false,
    includeIndicatorStyles: false,
    selfRequestsOnly: true,
    historyCacheSize: 0,
    scrollBehavior: "auto",
    // What was swapped in listens at once: a choice made in the 20 ms of the default would be lost.
    defaultSettleDelay: 0,
  });

  // 422 is the form again with its messages; other failures come with a place of their own.
  document.addEventListener("htmx:beforeSwap", (event) => {
    const detail = (event as CustomEvent).detail;
    const placed = detail.xhr.getResponseHeader("HX-Retarget") !== null;
    if (detail.xhr.status === 422 || placed) detail.shouldSwap = true;
  });

  document.addEventListener("zh:toast", (event) => toast((event as CustomEvent).detail));
}

const STAYS_MS = 8000;

function toast({ text, undo }: { text: string; undo: string }): void {
  const place = document.getElementById("toasts");
  if (place === null) return;
  const box = document.createElement("div");
  box.className = "toast";
  box.append(text);
  if (undo) {
    const link = document.createElement("a");
    link.href = undo;
    link.textContent = place.dataset.undo ?? "";
    box.append(link);
  }
  place.replaceChildren(box);
  window.setTimeout(() => box.remove(), STAYS_MS);
}
