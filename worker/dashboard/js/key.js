// The key of whoever looks: asked for when the server wants one, kept until the tab is closed, never part of an address.

import { h } from './dom.js';

const NAME = 'eddyline-key';
let key = stored();
let asking = null;

function stored() {
  try { return sessionStorage.getItem(NAME) ?? ''; } catch { return ''; }
}

/** The header that carries it. */
export const headers = () => (key ? { authorization: `Bearer ${key}` } : {});

/** The key at the moment, to see later whether it has changed. */
export const current = () => key;

/** Asks for a key; all that wait get the same one. */
export function ask(why) {
  asking ??= prompt(why).finally(() => { asking = null; });
  return asking;
}

function prompt(why) {
  return new Promise((resolve) => {
    const input = h('input', { type: 'password', autocomplete: 'off', spellcheck: 'false', required: true, placeholder: 'edk_…', name: 'key' });
    const dialog = h('dialog', { 'aria-labelledby': 'key-title' },
      h('form', { method: 'dialog' },
        h('h2', { id: 'key-title' }, 'This server wants a key'),
        h('p.muted', {}, why),
        h('label', {}, 'Key', input),
        h('p.small.muted', {}, h('code', {}, 'eddyline key --scope read'), ' makes one; scope ', h('code', {}, 'admin'), ' is needed to give feedback. It stays in this tab only.'),
        h('div.row', {}, h('button.main', { type: 'submit' }, 'Use it'))));
    dialog.addEventListener('cancel', (event) => event.preventDefault());
    dialog.querySelector('form').addEventListener('submit', (event) => {
      event.preventDefault();
      // A key has no other characters, and a header takes none.
      key = input.value.replace(/[^\x21-\x7e]/g, '');
      try { sessionStorage.setItem(NAME, key); } catch { /* it lasts as long as the page */ }
      dialog.close();
      dialog.remove();
      resolve();
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}
