/** The application's own hook in a component: `hook` is what it returned last, `states` all its states. */
async ([url]) => {
  const { mount } = await import("/react.js");
  const { useWebSocketSettings } = await import("/useWebSocketSettings.js");
  window.states = [];
  mount(
    () => useWebSocketSettings({ url }),
    (hook) => {
      window.hook = hook;
      window.states.push(hook.connectionStatus);
    },
  );
}
