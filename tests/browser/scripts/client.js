/** Our client: `news` are the settings as they came, `types` all messages. With `next` tokens are asked for. */
async ([origin, url, { next, ...options }]) => {
  const { connect } = await import(`${origin}/rowform-client.js`);
  Object.assign(window, { news: [], states: [], errors: [], types: [], given: 0 });
  const first = options.token;
  if (next) options.token = () => ((window.given += 1) === 1 ? first : next);
  window.live = connect(url, {
    ...options,
    onSettings: (settings, { version, fresh, updated }) =>
      news.push([settings.staffGroups[0]?.name, version.versionNumber, fresh, updated]),
    onStatus: ({ state }) => states.push(state),
    onError: (error) => errors.push(error.code ?? error.message),
    onMessage: ({ type }) => types.push(type),
  });
}
