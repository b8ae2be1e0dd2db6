import DefaultTheme from 'vitepress/theme';
import './style.css';

export default {
  extends: DefaultTheme,
  enhanceApp() {
    if (typeof document === 'undefined') return;
    document.addEventListener('click', ({ target }) => {
      const button = target.closest?.('.show-setup');
      if (!button) return;
      const isShown = button.parentElement.classList.toggle('with-setup');
      button.setAttribute('aria-expanded', String(isShown));
    });
  },
};
