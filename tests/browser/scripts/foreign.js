/** A page that has no business here tries all the same. */
async ([origin, url]) => {
  let got = false;
  const code = await new Promise((done) => {
    const socket = new WebSocket(url);
    socket.onmessage = () => (got = true);
    socket.onclose = (event) => done(event.code);
  });
  const read = await fetch(`${origin}/api/state`).then(() => true, () => false);
  return [code, got, read];
}
