/** Controls without a name, and ids that are there twice. */
() => {
  const nameless = [...document.querySelectorAll("button, a, input, select")]
    .filter((one) => !one.textContent.trim() && !one.getAttribute("aria-label") && !one.labels?.length)
    .map((one) => one.outerHTML);
  const ids = [...document.querySelectorAll("[id]")].map((one) => one.id);
  return [...nameless, ...ids.filter((id, at) => ids.indexOf(id) !== at)];
}
