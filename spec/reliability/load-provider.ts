import { startLoadProvider } from './load.js';

/** The provider of a load, in a process of its own: its memory is not counted with the turns'. */
void startLoadProvider().then((provider) => {
  process.on('message', () => provider.goOn());
  process.once('disconnect', () => void provider.close());
  process.send?.(provider.baseUrl);
});
