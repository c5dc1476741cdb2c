// On a phone the bar of places is wider than the screen: it begins where one is.
export function showWhereOneIs(): void {
  const bar = document.querySelector<HTMLElement>(".sub > .wrap");
  const here = bar?.querySelector<HTMLElement>("[aria-current]");
  if (!bar || !here) return;
  const [frame, place] = [bar.getBoundingClientRect(), here.getBoundingClientRect()];
  bar.scrollLeft += place.left + place.width / 2 - (frame.left + frame.width / 2);
}
