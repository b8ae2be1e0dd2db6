import { DOCUMENT, effect, inject, Injectable, signal } from '@angular/core';

export type ThemeName = 'system' | 'light' | 'dark';

export const themeNames: readonly ThemeName[] = ['system', 'light', 'dark'];

/** Light, dark, or what the system says; remembered in this browser. */
@Injectable({ providedIn: 'root' })
export class Theme {
  readonly #document = inject(DOCUMENT);
  readonly #name = signal<ThemeName>(this.#stored());
  readonly name = this.#name.asReadonly();

  constructor() {
    effect(() => {
      const name = this.#name();
      this.#document.documentElement.dataset['theme'] = name;
      this.#store(name);
    });
  }

  choose(name: ThemeName): void {
    this.#name.set(name);
  }

  next(): void {
    this.#name.update((name) => themeNames[(themeNames.indexOf(name) + 1) % themeNames.length] ?? 'system');
  }

  /** Storage is refused in some private windows, and absent on a server. */
  #stored(): ThemeName {
    try {
      const stored = this.#document.defaultView?.localStorage.getItem('theme');
      return themeNames.find((name) => name === stored) ?? 'system';
    } catch {
      return 'system';
    }
  }

  #store(name: ThemeName): void {
    try {
      this.#document.defaultView?.localStorage.setItem('theme', name);
    } catch {
      // It lasts as long as the page, then.
    }
  }
}
