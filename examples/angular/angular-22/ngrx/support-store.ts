import { signalStore, withComputed, withMethods, withState, patchState } from '@ngrx/signals';
import { withChat } from './with-chat.ts';

export const SupportStore = signalStore(
  withState({ draft: '' }),
  withChat({ instructions: 'You help with our products.' }),
  withComputed(({ draft, isAnswering }) => ({
    canSend: () => draft().trim() !== '' && !isAnswering(),
  })),
  withMethods((store) => ({
    write(draft: string): void {
      patchState(store, { draft });
    },
    sendDraft(): void {
      if (!store.canSend()) return;
      store.send(store.draft());
      patchState(store, { draft: '' });
    },
  })),
);
