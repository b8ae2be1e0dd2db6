import { afterNextRender, DestroyRef, Directive, ElementRef, inject, signal } from '@angular/core';

/** How near to the end still counts as there, in pixels. */
const near = 64;

/** Keeps the end of what grows in view, until its reader scrolls away from it. */
@Directive({
  selector: '[appFollow]',
  exportAs: 'appFollow',
  host: { '(scroll)': 'noteScroll()', '(click)': 'noteClick($event)' },
})
export class Follow {
  readonly #element = inject<ElementRef<HTMLElement>>(ElementRef).nativeElement;
  readonly #isAtEnd = signal(true);
  readonly isAtEnd = this.#isAtEnd.asReadonly();
  #scrollTop = 0;

  constructor() {
    const destroyed = inject(DestroyRef);
    afterNextRender(() => {
      const observer = new ResizeObserver(() => {
        if (this.#isAtEnd()) this.scrollToEnd();
        else this.noteScroll();
      });
      observer.observe(this.#element);
      for (const child of this.#element.children) observer.observe(child);
      destroyed.onDestroy(() => observer.disconnect());
    });
  }

  scrollToEnd(): void {
    this.#element.scrollTop = this.#element.scrollHeight;
    this.#scrollTop = this.#element.scrollTop;
    this.#isAtEnd.set(true);
  }

  protected noteScroll(): void {
    const { scrollHeight, scrollTop, clientHeight } = this.#element;
    const rest = scrollHeight - scrollTop - clientHeight;
    // The first pixel upwards counts: whoever scrolls must not have to win against what grows. Being far
    // from the end alone tells nothing: it may have grown since the event.
    if (scrollTop < this.#scrollTop && rest >= 1) this.#isAtEnd.set(false);
    else if (rest < near) this.#isAtEnd.set(true);
    this.#scrollTop = scrollTop;
  }

  /** What a reader opens should stay where it was opened. */
  protected noteClick({ target }: Event): void {
    if (!(target instanceof Element) || target.closest('summary') === null) return;
    this.#isAtEnd.set(false);
    requestAnimationFrame(() => this.noteScroll());
  }
}
