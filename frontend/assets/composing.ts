// Chinese input methods send `input` for every letter of the pinyin. Whoever listens hears nothing
// until the word stands, and then exactly one event.
export function composeQuietly(): void {
  document.addEventListener(
    "input",
    (event) => {
      if (event instanceof InputEvent && event.isComposing) event.stopImmediatePropagation();
    },
    { capture: true },
  );
  document.addEventListener("compositionend", (event) => {
    event.target?.dispatchEvent(new Event("input", { bubbles: true }));
  });
}
