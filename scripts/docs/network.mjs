// The network of the documentation's code: the provider that is asked is a mock provider on 127.0.0.1, wherever the
// code sends its requests, and there is a key for each.
import { builtInProviders } from 'rxjs-chat-completions';

const mock = new URL(process.env.MOCK_PROVIDER);
const { fetch } = globalThis;

/** A request for any other host goes to the mock provider. */
globalThis.fetch = (input, init) => {
  const url = new URL(String(input), mock);
  if (url.hostname === '127.0.0.1') return fetch(url, init);
  return fetch(new URL(url.pathname + url.search, mock), init);
};

// As in a page, whose addresses may be relative.
globalThis.location = { href: mock.href };

const apiKey = 'sk-of-the-documentation';
for (const { envKey } of Object.values(builtInProviders)) if (envKey) process.env[envKey] = apiKey;

/** Code that leaves a server listening has said what it has to say once nothing else is under way. */
let quiet = 0;
setInterval(() => {
  const busy = process
    .getActiveResourcesInfo()
    .filter((name) => !/^(TCPServerWrap|PipeWrap|TTYWrap)$/.test(name));
  quiet = busy.length > 0 ? 0 : quiet + 1;
  if (quiet > 4) process.exit();
}, 25).unref();
