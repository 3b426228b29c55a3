// Light or dark, before anything is drawn: as the system has it, or as this browser was told.
'use strict';
(() => {
  const KEY = 'eddyline-theme';
  const NEXT = { system: 'light', light: 'dark', dark: 'system' };
  const SIGN = { system: '◐', light: '☀', dark: '☾' };
  const system = matchMedia('(prefers-color-scheme: dark)');
  // A browser may keep nothing for this page; then the choice lasts as long as the page.
  const kept = () => { try { return localStorage.getItem(KEY); } catch { return null; } };
  let chosen = kept() in NEXT ? kept() : 'system';

  const show = () => {
    const theme = chosen === 'system' ? (system.matches ? 'dark' : 'light') : chosen;
    document.documentElement.dataset.theme = theme;
    const button = document.getElementById('theme');
    if (button) {
      button.textContent = SIGN[chosen];
      button.setAttribute('aria-label', `Colours: ${chosen === 'system' ? 'as the system' : chosen}`);
      button.title = button.getAttribute('aria-label');
    }
    dispatchEvent(new Event('themechange'));
  };

  show();
  system.addEventListener('change', show);
  addEventListener('DOMContentLoaded', () => {
    show();
    document.getElementById('theme').addEventListener('click', () => {
      chosen = NEXT[chosen];
      try { localStorage.setItem(KEY, chosen); } catch { /* see above */ }
      show();
    });
  });
})();
