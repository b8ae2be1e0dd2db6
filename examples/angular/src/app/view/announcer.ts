import { Injectable, signal } from '@angular/core';

/** What screen readers are told. */
@Injectable({ providedIn: 'root' })
export class Announcer {
  readonly #message = signal({ id: 0, text: '' });
  readonly message = this.#message.asReadonly();

  announce(text: string): void {
    this.#message.update(({ id }) => ({ id: id + 1, text }));
  }
}
