// Suggestions under a search box. The server sends options (links); arrows choose, Enter follows,
// Escape or leaving closes. Without a choice Enter searches for what was typed.
export function suggest(): void {
  for (const box of document.querySelectorAll<HTMLInputElement>("input[data-suggest]")) attach(box);
}

function attach(box: HTMLInputElement): void {
  const list = document.getElementById(box.dataset.suggest ?? "");
  if (list === null) return;
  box.setAttribute("role", "combobox");
  box.setAttribute("aria-autocomplete", "list");
  box.setAttribute("aria-controls", list.id);
  let chosen = -1;

  const options = () => [...list.querySelectorAll<HTMLAnchorElement>('[role="option"]')];
  const show = (open: boolean) => {
    list.hidden = !open;
    box.setAttribute("aria-expanded", String(open));
    choose(-1);
  };
  const choose = (place: number) => {
    chosen = place;
    box.removeAttribute("aria-activedescendant");
    options().forEach((option, index) => {
      option.setAttribute("aria-selected", String(index === place));
      if (index === place) box.setAttribute("aria-activedescendant", option.id);
    });
  };

  show(false);
  list.addEventListener("htmx:afterSwap", () => {
    show(options().length > 0 && document.activeElement === box);
  });
  list.addEventListener("mousedown", (event) => event.preventDefault()); // the box keeps the focus
  box.addEventListener("blur", () => show(false));
  box.addEventListener("keydown", (event) => {
    if (event.isComposing || list.hidden) return;
    const count = options().length;
    if (event.key === "ArrowDown") choose((chosen + 1) % count);
    else if (event.key === "ArrowUp") choose(chosen < 0 ? count - 1 : chosen - 1);
    else if (event.key === "Enter" && chosen >= 0) options()[chosen]?.click();
    else if (event.key === "Escape") show(false);
    else return;
    event.preventDefault();
  });
}
