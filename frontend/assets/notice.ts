// A notice is shown once: its code leaves the address, so that a reload or a shared link does not say
// again what was true then.
export function forgetNotice(): void {
  const address = new URL(location.href);
  if (!address.searchParams.has("done")) return;
  address.searchParams.delete("done");
  history.replaceState(history.state, "", address);
}
