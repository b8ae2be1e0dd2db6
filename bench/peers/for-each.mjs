/** Makes a client once for each address, as an application does. */
export function forEach(make) {
  const clients = new Map();
  return (baseUrl) => {
    if (!clients.has(baseUrl)) clients.set(baseUrl, make(baseUrl));
    return clients.get(baseUrl);
  };
}
