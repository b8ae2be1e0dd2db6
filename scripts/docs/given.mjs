// What the code of the documentation takes for given, as real things. network.mjs stands before it.
import { streamChatCompletions } from 'rxjs-chat-completions';

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
