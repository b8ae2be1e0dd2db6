// A component's conversation and a resource, without a browser: an application's injector, and no document. Throws
// where they are not what they should be. Run from ESM and from CJS, and bundled as for browsers.
const provider = { name: 'p', baseUrl: 'https://provider.example/v1' };

module.exports = async (modules) => {
  const conversed = await converse(modules);
  const loaded = await load(modules);
  console.log(`${conversed}, ${loaded}`);
};

async function converse({ core, angular, library, testing, rxjs }) {
  const held = rxjs.concat(rxjs.of(testing.textChunk('Hel')), rxjs.NEVER);
  const transport = testing.scriptedTransport({ body: held }, { body: broken(testing) }, { body: held });
  const application = startApplication(core, [
    angular.provideChat({
      turn: (prompt) => library.streamChatCompletions(prompt, { model: 'm', provider, transport }),
    }),
  ]);
  const chat = application.inContext(() => angular.injectChat());
  const texts = () => chat.messages().map(({ role, text }) => `${role}: ${text}`);

  chat.send('Hi');
  await until(() => chat.messages()[1].text === 'Hel');
  same(chat.isAnswering(), true);
  chat.stop();
  same(
    [texts(), chat.isAnswering(), chat.state().status],
    [['user: Hi', 'assistant: Hel'], false, 'stopped'],
  );

  chat.regenerate();
  await until(() => chat.error() !== undefined);
  same([texts(), chat.error().name], [['user: Hi', 'assistant: Half'], 'ProviderStreamError']);

  chat.edit(chat.messages()[0].id, 'Hello');
  await until(() => chat.messages()[1].text === 'Hel');
  same([texts(), transport.requests.length, transport.aborted], [['user: Hello', 'assistant: Hel'], 3, 2]);
  application.destroy();
  same(transport.aborted, 3);
  return 'injectChat';
}

async function load({ core, angular, library, testing, rxjs }) {
  const application = startApplication(core);
  const body = rxjs.concat(rxjs.of(testing.textChunk('Hel')), rxjs.NEVER);
  const transport = testing.scriptedTransport({ body }, { body: broken(testing) });
  const params = core.signal('Hi');
  const resourceOf = () =>
    angular.turnResource({
      params,
      stream: ({ params: prompt }) =>
        library.streamChatCompletions(prompt, { model: 'm', provider, transport }),
    });
  const resource = application.inContext(resourceOf);
  await until(() => resource.turn().text === 'Hel', application.tick);
  same([resource.isLoading(), resource.status(), resource.value().text], [true, 'loading', 'Hel']);
  resource.stop();
  same([resource.isLoading(), resource.status(), transport.aborted], [false, 'resolved', 1]);
  params.set('Hello');
  await until(() => resource.status() === 'error', application.tick);
  same([resource.isLoading(), resource.turn().text], [false, 'Half']);
  same([resource.error().name, resource.snapshot().status], ['ProviderStreamError', 'error']);
  application.destroy();
  return 'turnResource';
}

const broken = ({ dataChunk, textChunk }) => [textChunk('Half'), dataChunk({ error: { message: 'No.' } })];

let platform;

function startApplication(core, providers = []) {
  platform ??= core.createPlatformFactory(core.platformCore, 'program', [])();
  const injector = core.createEnvironmentInjector(
    [
      { provide: core.ɵINJECTOR_SCOPE, useValue: 'root' },
      { provide: core.PLATFORM_ID, useValue: 'browser' },
      core.provideZonelessChangeDetection(),
      ...providers,
    ],
    platform.injector,
  );
  return {
    inContext: (work) => core.runInInjectionContext(injector, work),
    tick: () => injector.get(core.ApplicationRef).tick(),
    destroy: () => injector.destroy(),
  };
}

function same(actual, expected) {
  const [one, other] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (one !== other) throw new Error(`${one}, not ${other}`);
}

async function until(what, tick = () => {}) {
  const limit = Date.now() + 10_000;
  for (tick(); !what(); tick()) {
    if (Date.now() > limit) throw new Error(`Waited in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
