// Cards of the pipeline board follow the mouse into another lane: the drop presses the button that
// stands in the card for it, so that what is sent, and who may, is the form's alone.
export function dragCards(): void {
  const board = document.querySelector<HTMLElement>("[data-board]");
  if (board === null) return;
  let held: HTMLElement | null = null;
  let barred: HTMLElement | null = null; // the lane that the card is held over and may not enter

  board.addEventListener("dragstart", (event) => {
    held = (event.target as Element).closest<HTMLElement>(".card[draggable]");
    if (held === null || event.dataTransfer === null) return;
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", held.querySelector("h3")?.textContent ?? "");
    held.dataset["held"] = "";
    barred = null;
  });
  board.addEventListener("dragend", () => {
    if (barred !== null) refuse(barred);
    if (held !== null) delete held.dataset["held"];
    held = null;
    mark(null);
  });
  // No dragleave tells leaving a lane from being let go over it: the next dragover does.
  document.addEventListener("dragover", (event) => {
    const lane = (event.target as Element).closest<HTMLElement>(".lane");
    const enters = lane === null || held === null || lane.contains(held) || buttonFor(lane) !== null;
    barred = enters ? null : lane;
  });
  board.addEventListener("dragover", (event) => {
    const lane = laneOf(event);
    if (lane === null || buttonFor(lane) === null) {
      mark(null);
      return;
    }
    event.preventDefault();
    mark(lane);
  });
  board.addEventListener("drop", (event) => {
    const lane = laneOf(event);
    const button = lane === null ? null : buttonFor(lane);
    if (button === null) return;
    event.preventDefault();
    button.form?.requestSubmit(button);
  });

  // Heard and seen: a card that springs back says nothing by itself.
  function refuse(lane: HTMLElement): void {
    const said = document.getElementById("board-said");
    if (said === null) return;
    said.classList.remove("vh");
    said.textContent = (said.dataset["refused"] ?? "").replace("{lane}", lane.dataset["name"] ?? "");
  }

  function laneOf(event: Event): HTMLElement | null {
    return (event.target as Element).closest<HTMLElement>(".lane[data-phase]");
  }

  // No button leads to the lane that the card is in, nor to any that no hand fills.
  function buttonFor(lane: HTMLElement): HTMLButtonElement | null {
    const phase = lane.dataset["phase"] ?? "";
    return held?.querySelector<HTMLButtonElement>(`button[value="${phase}"]`) ?? null;
  }

  function mark(lane: HTMLElement | null): void {
    for (const one of board?.querySelectorAll<HTMLElement>(".lane") ?? []) {
      one.toggleAttribute("data-over", one === lane);
    }
  }
}
