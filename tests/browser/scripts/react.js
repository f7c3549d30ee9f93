/** Our hook in a component: `live` is what it returned last. */
async ([origin, url]) => {
  const { mount } = await import("/react.js");
  const { useRowformSettings } = await import(`${origin}/useRowformSettings.js`);
  mount(() => useRowformSettings(url), (live) => (window.live = live));
}
