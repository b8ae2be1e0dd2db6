// What the code of the documentation takes for given, as real things: the provider that is asked is a mock
// provider on 127.0.0.1, wherever the code sends its requests.
import { builtInProviders, streamChatCompletions } from 'rxjs-chat-completions';

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

const provider = { name: 'mock', baseUrl: new URL('/v1', mock).href, apiKey };
const options = { model: 'mock', provider };
const button = new EventTarget();
// Whoever waits for a click gets it in the middle of an answer.
setTimeout(() => button.dispatchEvent(new Event('click')), 60).unref();

Object.assign(globalThis, {
  apiKey,
  provider,
  options,
  turn: streamChatCompletions('Why is the sky blue?', options),
  button,
  show: (text) => {
    if (typeof text !== 'string') throw new TypeError('show() was given no text.');
    console.log(text);
  },
  store: async () => {},
  weather: (json) => `In ${JSON.parse(json).city} the sun shines.`,
});

/** Code that leaves a server listening has said what it has to say once nothing else is under way. */
let quiet = 0;
setInterval(() => {
  const busy = process
    .getActiveResourcesInfo()
    .filter((name) => !/^(TCPServerWrap|PipeWrap|TTYWrap)$/.test(name));
  quiet = busy.length > 0 ? 0 : quiet + 1;
  if (quiet > 4) process.exit();
}, 25).unref();
