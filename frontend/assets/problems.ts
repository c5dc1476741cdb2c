// After a refused form the summary of what to mend takes the focus, so that a screen reader says it
// and Tab goes on from it. A failed fragment says so where the reader is.
export function showProblems(): void {
  focusSummary(document);
  document.addEventListener("htmx:afterSwap", (event) => focusSummary(event.target as Element));
  document.addEventListener("htmx:sendError", () => say("unreachable"));
  document.addEventListener("htmx:timeout", () => say("unreachable"));
  document.addEventListener("htmx:responseError", (event) => {
    const answer = (event as CustomEvent).detail.xhr as XMLHttpRequest;
    if (answer.status !== 422 && answer.getResponseHeader("HX-Retarget") === null) say("failed");
  });
}

function focusSummary(within: ParentNode): void {
  within.querySelector<HTMLElement>('[role="alert"][tabindex="-1"]')?.focus();
}

function say(what: "unreachable" | "failed"): void {
  const live = document.getElementById("live");
  if (live === null) return;
  const box = document.createElement("div");
  const text = document.createElement("p");
  box.className = "notice";
  box.dataset.kind = "bad";
  text.textContent = live.dataset[what] ?? "";
  box.append(text);
  live.replaceChildren(box);
  box.scrollIntoView({ block: "nearest" });
}
