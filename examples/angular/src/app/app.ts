import {
  afterNextRender,
  ChangeDetectionStrategy,
  Component,
  effect,
  inject,
  untracked,
  viewChild,
} from '@angular/core';
import { Title } from '@angular/platform-browser';
import { Chat } from './chat/chat';
import { Composer } from './view/composer';
import { ExchangeView } from './view/exchange-view';
import { Follow } from './view/follow';
import { LiveRegion } from './view/live-region';
import { Theme } from './view/theme';
import type { Decision } from './view/tool-card';

@Component({
  selector: 'app-root',
  changeDetection: ChangeDetectionStrategy.OnPush,
  imports: [Composer, ExchangeView, Follow, LiveRegion],
  templateUrl: './app.html',
  host: { '(document:keydown.escape)': 'stop()' },
})
export class App {
  protected readonly chat = inject(Chat);
  protected readonly theme = inject(Theme);
  private readonly composer = viewChild.required(Composer);
  private readonly end = viewChild.required(Follow);

  protected readonly suggestions = [
    'Why is the sky blue?',
    'What time is it in Tokyo?',
    'Show me a debounce in TypeScript',
    'Compare tea and coffee in a table',
  ];

  constructor() {
    const title = inject(Title);
    afterNextRender(() => {
      // On a phone it would open the keyboard over the page.
      if (matchMedia('(hover: hover)').matches) this.composer().focus();
    });
    effect(() => title.setTitle(this.chat.title() === '' ? 'Chat' : `${this.chat.title()} · Chat`));
  }

  protected ask(question: string): void {
    this.chat.ask(question);
    this.end().scrollToEnd();
    // What was pressed may be gone.
    this.composer().focus();
  }

  protected askAgain(id: string): void {
    this.chat.askAgain(id);
    this.end().scrollToEnd();
    this.composer().focus();
  }

  protected edit(id: string, question: string): void {
    this.chat.edit(id, question);
    this.end().scrollToEnd();
    this.composer().focus();
  }

  protected decide({ callId, isAllowed }: Decision): void {
    this.chat.decide(callId, isAllowed);
    this.composer().focus();
  }

  protected stop(): void {
    if (untracked(this.chat.isAnswering)) this.chat.stop();
  }

  protected clear(): void {
    this.chat.clear();
    this.composer().focus();
  }
}
