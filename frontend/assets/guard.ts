// A form that was sent cannot be sent again until its answer is there. The buttons are disabled
// only after the browser has taken their values.
const sent = new WeakSet<HTMLFormElement>();

export function guardForms(): void {
  document.addEventListener("submit", (event) => {
    const form = event.target as HTMLFormElement;
    if (form.method !== "post") return;
    if (sent.has(form)) {
      event.preventDefault();
      event.stopImmediatePropagation();
      return;
    }
    sent.add(form);
    window.setTimeout(() => setDisabled(form, true));
  }, { capture: true });

  document.addEventListener("htmx:afterRequest", (event) => {
    const form = (event.target as Element).closest("form");
    if (form !== null) release(form);
  });

  // Back in history: the page is as it was left, its buttons must work again.
  window.addEventListener("pageshow", () => {
    for (const form of document.forms) release(form);
  });
}

function release(form: HTMLFormElement): void {
  if (!sent.delete(form)) return;
  setDisabled(form, false);
}

function setDisabled(form: HTMLFormElement, disabled: boolean): void {
  for (const control of form.elements) {
    if (control instanceof HTMLButtonElement) control.disabled = disabled;
  }
}
